"""Dates and times in every spelling that headers were seen to have. All results are naive UTC."""

import datetime as dt
import itertools
import re

from shared.fits.model import CardValue
from shared.fits.values import number

__all__ = ["Moment", "from_julian_date", "parse_date", "parse_moment", "parse_time", "plausible"]

_FIRST_YEAR, _LAST_YEAR = 1850, 2100
_MONTHS = {
    name: n
    for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)  # noqa: SIM905
}
_LOOK = 64
_MJD_ZERO = dt.datetime(1858, 11, 17)  # noqa: DTZ001
_FIRST_MJD = 10_000  # 1886; smaller numbers are placeholders
_JD_OF_MJD_ZERO = 2400000.5
_DAYS_OF_TWO_DIGITS = 1.5
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_NAMED = re.compile(r"(\d{1,2})[-\s]?([A-Za-z]{3})[a-z]{0,6}[-\s]?(\d{4}|\d{2})(?!\d)")
_LONG_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?!\d)")
_PAIRS = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{2})(?!\d)")
_TIME = re.compile(
    r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d*))?)?\s*(Z|UTC?|[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d))?$",
    re.IGNORECASE,
)
_COMPACT_TIME = re.compile(r"(\d{2})(\d{2})(\d{2})(?:[.,](\d*))?\s*(Z|[+-]\d{2}:?\d{2})?$", re.IGNORECASE)

Moment = tuple[dt.date, dt.timedelta | None]
"""A date, and the time since its 00:00 UTC if it is known."""


def plausible(date: dt.date) -> bool:
    """Whether a frame can have been taken then: 1850 to 2100."""
    return _FIRST_YEAR <= date.year <= _LAST_YEAR


def parse_moment(value: CardValue, near: dt.datetime | None = None) -> Moment | None:
    """Read a date with or without time.

    Parameters
    ----------
    value
        The card's value. A number may be a Julian date or a modified one.
    near
        A moment known from another keyword (MJD-OBS), which decides on the century and the order of
        ``nn/nn/nn``. Without it that is ``dd/mm/yy`` of the 20th century (FITS standard 4.0, section 9.1.1);
        a two-digit year beside a month's name lies between 1970 and 2069.

    Returns
    -------
    Moment or None
        None if nothing plausible can be read.
    """
    if isinstance(value, bool | complex) or value is None:
        return None
    look = (str(value) if isinstance(value, str | int) else repr(value)).strip()[:_LOOK]
    found = _date(look, near)
    if found is None:
        return _numeric(value)
    date, rest = found
    if not plausible(date):
        return None
    return _shifted(date, _clock(rest.lstrip("Tt _,;")))


def parse_date(value: CardValue) -> dt.date | None:
    """Read a calendar date (DAY-OBS ``20151216``, ``2022-06-06``, NIGHT ``24Sep2022``) without regard to its time."""
    if isinstance(value, bool | float | complex) or value is None:
        return None
    found = _date(str(value).strip()[:_LOOK], None)
    return found[0] if found is not None and plausible(found[0]) else None


def parse_time(value: CardValue, *, hours: bool = False) -> dt.timedelta | None:
    """Read a time of day: ``hh:mm:ss.sss`` with or without zone, or seconds since midnight (hours if so told).

    Minutes and seconds of 60 carry over. A zone is taken off, so the result may be negative or beyond 24 h.
    """
    if isinstance(value, str):
        clock = _clock(value.strip()[:_LOOK])
        if clock is not None:
            return clock
    amount = number(value)
    if amount is None:
        return None
    seconds = amount * 3600 if hours else amount
    return dt.timedelta(seconds=seconds) if 0 <= seconds <= 86401 else None


def from_julian_date(value: CardValue) -> dt.datetime | None:
    """Read a Julian date, or a modified one, told apart by size; None if it is neither."""
    days = number(value)
    if days is None:
        return None
    mjd = days - _JD_OF_MJD_ZERO if days > _JD_OF_MJD_ZERO else days
    try:
        moment = _MJD_ZERO + dt.timedelta(days=mjd)
    except OverflowError:
        return None
    return moment if mjd >= _FIRST_MJD and plausible(moment) else None


def _numeric(value: CardValue) -> Moment | None:
    if not isinstance(value, float):
        return None
    moment = from_julian_date(value)
    return None if moment is None else (moment.date(), moment - dt.datetime.combine(moment.date(), dt.time()))


def _date(look: str, near: dt.datetime | None) -> tuple[dt.date, str] | None:
    """Return the date that a text begins with, and the text behind it."""
    if (match := _ISO.match(look) or _COMPACT.match(look)) is not None:
        date = _made(int(match[1]), int(match[2]), int(match[3]))
    elif (match := _NAMED.match(look)) is not None:
        year = int(match[3]) if len(match[3]) == 4 else int(match[3]) + (2000 if int(match[3]) < 70 else 1900)
        date = _made(year, _MONTHS.get(match[2].lower(), 0), int(match[1]))
    elif (match := _LONG_YEAR_LAST.match(look)) is not None:
        day, month, year = (int(part) for part in match.groups())
        date = _made(year, month, day) or _made(year, day, month)
    elif (match := _PAIRS.match(look)) is not None:
        date = _from_pairs(int(match[1]), int(match[2]), int(match[3]), near)
    else:
        return None
    return None if date is None else (date, look[match.end() :])


def _from_pairs(first: int, second: int, third: int, near: dt.datetime | None) -> dt.date | None:
    if near is not None:
        readings = ((third, second, first), (third, first, second), (first, second, third))
        for century, (year, month, day) in itertools.product((1900, 2000), readings):
            date = _made(century + year, month, day)
            if date is not None and abs((date - near.date()).days) <= _DAYS_OF_TWO_DIGITS:
                return date
    return _made(1900 + third, second, first) or _made(1900 + third, first, second)


def _made(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _clock(look: str) -> dt.timedelta | None:
    match = _TIME.match(look) or _COMPACT_TIME.match(look)
    return _time_of(match) if match is not None else None


def _time_of(match: re.Match[str]) -> dt.timedelta | None:
    hours, minutes, seconds = (int(match[part] or 0) for part in (1, 2, 3))
    if hours > 24 or minutes > 60 or seconds > 60:
        return None
    micros = int((match[4] or "").ljust(6, "0")[:6])
    time = dt.timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=micros)
    zone = match[5] or ""
    if zone[:1] not in {"+", "-"}:
        return time
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return time - offset if zone[0] == "+" else time + offset


def _shifted(date: dt.date, time: dt.timedelta | None) -> Moment:
    """Carry whole days of a time over to the date."""
    if time is None:
        return date, None
    days = time // dt.timedelta(days=1)
    return date + dt.timedelta(days=days), time - dt.timedelta(days=days)
