"""Which keys an upload may have: none that leaves its prefix, hides from a listing or breaks a client."""

import unicodedata

from shared.errors import BadKeyError

__all__ = ["MAX_KEY_BYTES", "MAX_SEGMENT_BYTES", "check_key", "check_segment", "quoted"]

MAX_KEY_BYTES = 1024
"""The longest key of S3, in bytes of UTF-8."""

MAX_SEGMENT_BYTES = 255
"""The longest file name of common file systems, which stores and downloaders keep keys on."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SHOWN = 80


def check_key(key: str) -> str:
    """Return the key if an upload may have it.

    Raises
    ------
    BadKeyError
        The key is empty, absolute or longer than 1024 bytes, or has a segment that `check_segment` refuses.
    """
    if key.startswith("/"):
        raise BadKeyError(f"{quoted(key)} is an absolute path")
    for segment in key.split("/"):
        check_segment(segment, key)
    if len(key.encode()) > MAX_KEY_BYTES:
        raise BadKeyError(f"{quoted(key)} is longer than {MAX_KEY_BYTES} bytes")
    return key


def check_segment(segment: str, of: str | None = None) -> str:
    """Return a segment of a key (what stands between slashes) if it may be one.

    Raises
    ------
    BadKeyError
        It is blank, begins with a dot, is longer than 255 bytes, or has a slash, a backslash or a character in it
        that nobody sees (control, format, surrogate).
    """
    whole = quoted(segment if of is None else of)
    if not segment.strip():
        raise BadKeyError(f"{whole} has an empty part in its path")
    if segment.startswith("."):
        raise BadKeyError(f"{whole} has a part in its path that begins with a dot")
    if "\\" in segment or "/" in segment:
        raise BadKeyError(f"{whole} has a slash or backslash in a name")
    if any(unicodedata.category(char) in _UNSEEN for char in segment):
        raise BadKeyError(f"{whole} has a control character in it")
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        raise BadKeyError(f"{whole} has a part in its path that is longer than {MAX_SEGMENT_BYTES} bytes")
    return segment


def quoted(text: str) -> str:
    """Return hostile text as it can be shown: quoted, escaped and cut."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…").encode("ascii", "backslashreplace").decode()
