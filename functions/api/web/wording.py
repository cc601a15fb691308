"""Values as people read them: times in UTC, angles in sexagesimal, sizes in bytes with a prefix."""

import datetime as dt
import math
from typing import Any

__all__ = ["declination", "moment", "number", "pixels", "plural", "right_ascension", "size"]

_PREFIXES = ("B", "kB", "MB", "GB", "TB", "PB")


def moment(value: dt.datetime | None) -> str:
    """Return a naive UTC time to the second, cut.

    >>> moment(dt.datetime(2026, 1, 2, 3, 4, 5, 999999))
    '2026-01-02 03:04:05'
    """
    return value.isoformat(" ", "seconds") if value is not None else ""


def number(value: float | None, digits: int) -> str:
    """Return a number with at most so many digits behind the point.

    >>> number(120.0, 3), number(0.1234, 3)
    ('120', '0.123')
    """
    if value is None or not math.isfinite(value):
        return ""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(value: int) -> str:
    """Return bytes with a decimal prefix and three digits.

    >>> size(999), size(2102400), size(10**10)
    ('999 B', '2.10 MB', '10.0 GB')
    """
    scaled, prefix = float(value), 0
    while scaled >= 999.5 and prefix < len(_PREFIXES) - 1:
        scaled, prefix = scaled / 1000, prefix + 1
    digits = 0 if prefix == 0 or scaled >= 99.95 else 1 if scaled >= 9.995 else 2
    return f"{scaled:.{digits}f} {_PREFIXES[prefix]}"


def right_ascension(degrees: float | None) -> str:
    """Return hours, minutes and seconds to a tenth of a second.

    >>> right_ascension(202.4696), right_ascension(359.99999)
    ('13:29:52.7', '00:00:00.0')
    """
    if degrees is None or not math.isfinite(degrees):
        return ""
    tenths = round(degrees % 360.0 * 2400.0) % 864_000
    return f"{tenths // 36000:02d}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def declination(degrees: float | None) -> str:
    """Return degrees, minutes and seconds of arc.

    >>> declination(47.1953), declination(-0.5)
    ('+47:11:43', '-00:30:00')
    """
    if degrees is None or not math.isfinite(degrees):
        return ""
    seconds = round(abs(degrees) * 3600.0)
    sign = "-" if degrees < 0 and seconds else "+"
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def pixels(frame: Any) -> str:
    """Return width and height of a frame."""
    return f"{frame.width} × {frame.height}" if frame.width and frame.height else ""


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun.

    >>> plural(1, "frame"), plural(12345, "frame")
    ('1 frame', '12,345 frames')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
