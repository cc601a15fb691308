"""Text as the index holds and compares it."""

import unicodedata

__all__ = ["MAX_TEXT", "clean_text", "fold", "is_storable", "prefix_end"]

MAX_TEXT = 500
"""Characters kept of a text that comes from a header; the header itself is kept in full elsewhere."""

_LAST_CODE_POINT = "\U0010ffff"


def is_storable(text: str) -> bool:
    """Tell whether every database can hold the text: no NUL and no lone surrogate."""
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """Return the text as every database can hold it: cut to `limit` characters, U+FFFD for what is not storable."""
    cut = text[:limit]
    if is_storable(cut):
        return cut
    return "".join(char if is_storable(char) else "\ufffd" for char in cut)


def fold(text: str) -> str:
    """Return the text without differences of case and of composition, for comparisons.

    The canonical caseless form of the Unicode standard (section 3.13), composed again.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def prefix_end(prefix: str) -> str | None:
    """Return the smallest text above all that begin with `prefix`, by code point; None if there is none."""
    stem = prefix.rstrip(_LAST_CODE_POINT)
    if not stem:
        return None
    code = ord(stem[-1]) + 1
    return stem[:-1] + chr(0xE000 if 0xD800 <= code <= 0xDFFF else code)
