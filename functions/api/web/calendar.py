"""A year of nights, month by month, each with how many frames it has. Pure."""

import calendar
import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Day", "Month", "year_of"]

_LEVELS = 4


@dataclass(frozen=True, slots=True)
class Day:
    """A night; ``count`` is None where it is not known, and ``level`` 0 (none) to 4 (as many as the best nights)."""

    date: dt.date
    count: int | None
    level: int


@dataclass(frozen=True, slots=True)
class Month:
    """A month by weeks from Monday to Sunday; None for days of other months."""

    name: str
    frames: int
    weeks: list[list[Day | None]]


def year_of(year: int, counts: Mapping[dt.date, int | None]) -> list[Month]:
    """Return the months of a year.

    Parameters
    ----------
    counts
        Nights with frames.
    """
    known = sorted(count for count in counts.values() if count)
    bounds = [known[len(known) * part // _LEVELS] for part in range(1, _LEVELS)] if known else []
    return [_month(year, month, counts, bounds) for month in range(1, 13)]


def _month(year: int, month: int, counts: Mapping[dt.date, int | None], bounds: list[int]) -> Month:
    weeks = [
        [_day(dt.date(year, month, day), counts, bounds) if day else None for day in week]
        for week in calendar.Calendar().monthdayscalendar(year, month)
    ]
    frames = sum(day.count or 0 for week in weeks for day in week if day is not None)
    return Month(f"{calendar.month_name[month]} {year}", frames, weeks)


def _day(date: dt.date, counts: Mapping[dt.date, int | None], bounds: list[int]) -> Day:
    if date not in counts:
        return Day(date, 0, 0)
    count = counts[date]
    return Day(date, count, 1 if count is None else 1 + bisect_right(bounds, count - 1))
