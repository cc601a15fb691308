"""A year of nights: the one that is asked for, or the latest with something to show."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, func, select, union_all
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.days import date_of, first_day
from shared.index.nights import NightCount, counted_nights, is_told, nights_of
from shared.index.scope import EPOCH, Scope, scope_of
from shared.index.selection import FrameFilter
from shared.index.tallies import ALL
from shared.index.tally_models import NO_DAY, TallyChange, TallyDay, TallyMonth

__all__ = ["YearOfNights", "year_of_nights"]


@dataclass(frozen=True, slots=True)
class YearOfNights:
    """The nights of a year, and the years that have nights with frames of any filter; no year if there are none."""

    year: int | None
    years: tuple[int, ...]
    complete: bool
    nights: tuple[NightCount, ...]


def year_of_nights(session: Session, frame_filter: FrameFilter, year: int | None) -> YearOfNights:
    """Return the nights of a year, by default of the latest that has frames of the filter, as far as counts can tell.

    The night that the filter asks for is left out.
    """
    scope = scope_of(session, replace(frame_filter, night=None))
    years = _years(session, undated=frame_filter.undated)
    every = None if year is not None or is_told(scope) else counted_nights(session, scope, dt.date.min, dt.date.max)
    if every:
        year = every[-1].night.year
        return YearOfNights(year, years, True, tuple(item for item in every if item.night.year == year))
    answer = YearOfNights(year, years, complete=True, nights=())
    for one in (year,) if year is not None else _latest(session, scope, years):
        found = nights_of(session, scope, dt.date(one, 1, 1), dt.date(one, 12, 31))
        if answer.year is None or found.nights:
            answer = YearOfNights(one, years, found.complete, found.nights)
        if found.nights:
            break
    return answer


def _years(session: Session, *, undated: bool) -> tuple[int, ...]:
    """Return the years of the nights that have frames."""
    together = union_all(
        select(TallyDay.night, TallyDay.frames).where(
            TallyDay.combination_id == ALL, *_dated(TallyDay, undated=undated)
        ),
        select(TallyChange.night, TallyChange.frames).where(*_dated(TallyChange, undated=undated)),
    ).subquery()
    nights = select(together.c.night).where(together.c.night != NO_DAY).group_by(together.c.night)
    found = session.scalars(nights.having(func.sum(together.c.frames) > 0))
    return tuple(sorted({date_of(night).year for night in found}))


def _dated(model: type[TallyDay | TallyChange], *, undated: bool) -> list[ColumnElement[bool]]:
    return [] if undated else [model.day != NO_DAY]


def _latest(session: Session, scope: Scope, years: Sequence[int]) -> Sequence[int]:
    """Return the latest year that may have nights of a scope, and the year before, whose last night may end in it."""
    limits = [scope.wanted.end.year] if scope.wanted.end is not None else []
    if not scope.has_undated and scope.combinations:
        day = first_day(session, scope.combinations, descending=True)
        limits += [date_of(day).year] if day is not None else []
    if not scope.has_undated and scope.objects:
        limits += _last_years(session, scope.objects)
    return [year for year in reversed(years) if year <= min(limits, default=dt.MAXYEAR)][:2] or years[-1:]


def _last_years(session: Session, objects: Sequence[int]) -> list[int]:
    """Return the year of the last month in which objects were observed; none if they were not."""
    ends = (
        select(func.max(TallyMonth.month).label("month")).where(among(TallyMonth.object_id, objects)),
        select(func.max(TallyChange.month)).where(among(TallyChange.object_id, objects), TallyChange.day != NO_DAY),
    )
    last = session.scalar(select(func.max(union_all(*ends).subquery().c.month)))
    return [EPOCH.year + last // 12] if last is not None else []
