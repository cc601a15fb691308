"""Which bytes of an answer a client asks for: Range and If-Range (RFC 9110, sections 13.1.5 and 14)."""

import re

__all__ = ["RangeNotSatisfiableError", "asked_range", "holds_if_range"]

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(?P<first>[0-9]{0,30})[ \t]*-[ \t]*(?P<last>[0-9]{0,30})[ \t]*", re.IGNORECASE)


class RangeNotSatisfiableError(Exception):
    """None of the bytes asked for are there; there are ``length`` of them in all."""

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(f"not within {length} bytes")


def asked_range(header: str | None, length: int) -> tuple[int, int] | None:
    """Return start and stop (exclusive) of the bytes that a Range header asks for.

    None is for the whole: without header, and for what may be ignored, which is other units, several ranges, and what
    cannot be read.

    Raises
    ------
    RangeNotSatisfiableError
        The range begins beyond the end, or is the last 0 bytes.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or (not match["first"] and not match["last"]):
        return None
    if not match["first"]:
        start, stop = max(length - int(match["last"]), 0), length
    else:
        start = int(match["first"])
        if match["last"] and int(match["last"]) < start:
            return None
        stop = min(int(match["last"]) + 1, length) if match["last"] else length
    if start >= stop:
        raise RangeNotSatisfiableError(length)
    return start, stop


def holds_if_range(header: str | None, etag: str) -> bool:
    """Tell whether a range may be served: there is no If-Range, or it names exactly what is here.

    A weak ETag and a date never do; a date cannot tell two contents of one second apart.
    """
    return header is None or header.strip() == etag
