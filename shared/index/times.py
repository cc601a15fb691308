"""Dates and times as people and programs write them, in naive UTC."""

import datetime as dt
import re

__all__ = ["format_time", "parse_date", "parse_time"]

_DATE = r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})|(?P<month2>[0-9]{2})(?P<day2>[0-9]{2}))"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2})(?:\.(?P<fraction>[0-9]{0,30}))?)?"
    r"|(?P<minute2>[0-9]{2})(?:(?P<second2>[0-9]{2})(?:\.(?P<fraction2>[0-9]{0,30}))?)?)?"
)
_OFFSET = r"(?P<zulu>[Zz])|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?"
_LOST_PLUS = r" (?P<hours2>[0-9]{2})(?::?(?P<minutes2>[0-9]{2}))?"

_FIRST = dt.datetime.combine(dt.date.min, dt.time.min)
_LAST = dt.datetime.combine(dt.date.max, dt.time.max)
_DATE_ONLY = re.compile(_DATE)
_TIME = re.compile(rf"{_DATE}(?:(?:[Tt]| +){_CLOCK}(?:{_LOST_PLUS}| *(?:{_OFFSET}))?|(?P<date_zulu>[Zz]))?")


def format_time(moment: dt.datetime | None) -> str | None:
    """Return a naive UTC time as ISO 8601: no fraction if it is 0, else milliseconds, cut and not rounded.

    >>> format_time(dt.datetime(2024, 1, 15, 18, 0, 10, 123999))
    '2024-01-15T18:00:10.123Z'
    """
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds") + "Z"


def parse_date(text: str) -> dt.date:
    """Return the date of ``2024-01-15``, ``2024-1-15`` or ``20240115``.

    Raises
    ------
    ValueError
        The text is no date.
    """
    match = _DATE_ONLY.fullmatch(text)
    if match is None:
        message = "not a date"
        raise ValueError(message)
    return _date(match)


def parse_time(text: str) -> dt.datetime:
    """Return the instant in naive UTC; digits beyond microseconds are cut.

    A date as for `parse_date`, alone (then 00:00) or followed by ``T`` or a blank and HH, HH:MM or HH:MM:SS with
    fraction, then ``Z``, an offset from UTC, or nothing, which is UTC. A ``+`` that the decoding of a query string
    turned into a blank is understood. An instant beyond the years 1 to 9999 becomes the first or last there is.

    Raises
    ------
    ValueError
        The text is no time.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        message = "not a time"
        raise ValueError(message)
    midnight = dt.datetime.combine(_date(match), dt.time())
    shift = _clock(match) - _offset(match)
    try:
        return midnight + shift
    except OverflowError:
        return _LAST if shift > dt.timedelta(0) else _FIRST


def _date(match: re.Match[str]) -> dt.date:
    return dt.date(int(match["year"]), int(match["month"] or match["month2"]), int(match["day"] or match["day2"]))


def _clock(match: re.Match[str]) -> dt.timedelta:
    hour, minute, second = (
        int(match[name] or match.groupdict().get(f"{name}2") or 0) for name in ("hour", "minute", "second")
    )
    fraction = (match["fraction"] or match["fraction2"] or "")[:6].ljust(6, "0")
    clock = dt.timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(fraction))
    is_leap_second = second == 60
    if minute > 59 or second > 60 or clock > dt.timedelta(days=1, seconds=1 if is_leap_second else 0):
        message = "not a time of day"
        raise ValueError(message)
    return clock


def _offset(match: re.Match[str]) -> dt.timedelta:
    hours, minutes = int(match["hours"] or match["hours2"] or 0), int(match["minutes"] or match["minutes2"] or 0)
    if hours > 23 or minutes > 59:
        message = "not an offset from UTC"
        raise ValueError(message)
    offset = dt.timedelta(hours=hours, minutes=minutes)
    return -offset if match["sign"] == "-" else offset
