"""How many frames of a filter there are in each night: a calendar."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.bounded import MOST_COUNTS, MOST_ROWS, driving, passing
from shared.index.counts import change_conditions, day_conditions, edge_rows
from shared.index.days import date_of, midnight
from shared.index.models import Frame
from shared.index.scope import EPOCH, Scope, scope_of
from shared.index.selection import FrameFilter
from shared.index.tallies import ALL
from shared.index.tally_models import NO_DAY, TallyChange, TallyDay

__all__ = ["NightCount", "NightCounts", "count_nights", "counted_nights", "is_told", "nights_of"]


@dataclass(frozen=True, slots=True)
class NightCount:
    """A night, and how many frames there are of it; None where that was not counted."""

    night: dt.date
    count: int | None


@dataclass(frozen=True, slots=True)
class NightCounts:
    """Nights with frames, ascending.

    If not ``complete``, too much would have to be read to count: the nights are those of all frames then.
    """

    complete: bool
    nights: tuple[NightCount, ...]


def count_nights(session: Session, frame_filter: FrameFilter, first: dt.date, last: dt.date) -> NightCounts:
    """Return how many frames there are in each night from ``first`` to ``last``, both inclusive.

    The night that the filter asks for is left out, all its other conditions hold. Some ten statements at most, and no
    more than `MOST_COUNTS` counts or `MOST_ROWS` frames are read.
    """
    return nights_of(session, scope_of(session, replace(frame_filter, night=None)), first, last)


def nights_of(session: Session, scope: Scope, first: dt.date, last: dt.date) -> NightCounts:
    """Return the same for a scope that asks for no night."""
    counted = counted_nights(session, scope, first, last)
    if counted is not None:
        return NightCounts(complete=True, nights=counted)
    of_all = Scope(FrameFilter(undated=scope.wanted.undated), combinations=None, objects=None, days=None, cells=None)
    known = counted_nights(session, of_all, first, last) or ()
    return NightCounts(complete=False, nights=tuple(NightCount(item.night, None) for item in known))


def counted_nights(session: Session, scope: Scope, first: dt.date, last: dt.date) -> tuple[NightCount, ...] | None:
    """Return the nights with frames of a scope that asks for no night; None if too much would be read."""
    nights = (first - EPOCH).days, (last - EPOCH).days
    days = _days_of(session, nights)
    if scope.is_empty or (days is None and not scope.has_undated):
        return ()
    count = _from_counts if is_told(scope) else _from_rows
    counted = count(session, scope, nights, days)
    if counted is None:
        return None
    return tuple(NightCount(date_of(night), frames) for night, frames in sorted(counted.items()) if frames)


def is_told(scope: Scope) -> bool:
    """Whether counts tell the nights of a scope, and not only rows."""
    return scope.is_countable and scope.objects is None


def _from_counts(
    session: Session, scope: Scope, nights: tuple[int, int], days: tuple[int, int] | None
) -> Counter[int] | None:
    """Add up the counts by day and night, with the rows of parts of days; None if they are too many."""
    gathered = [*day_conditions(scope, TallyDay.day, TallyDay.night), TallyDay.night.between(*nights)]
    gathered.append(among(TallyDay.combination_id, (ALL,) if scope.combinations is None else scope.combinations))
    if days is not None and not scope.has_undated:
        gathered.append(TallyDay.day.between(*days))
    recent = [*change_conditions(scope), TallyChange.night.between(*nights)]
    parts = select(TallyDay.night, TallyDay.frames).where(*gathered), select(TallyChange.night, TallyChange.frames)
    found = _summed(session, [parts[0], parts[1].where(*recent)], MOST_COUNTS)
    edge = edge_rows(scope.days)
    if found is not None and edge is not None:
        rows = select(Frame.night, func.count()).where(*scope.rows(), edge, Frame.night.is_not(None))
        for date, frames in session.execute(rows.group_by(Frame.night)):
            night = (date - EPOCH).days  # type: ignore[operator]
            found[night] += frames if nights[0] <= night <= nights[1] else 0
    return found


def _from_rows(
    session: Session, scope: Scope, nights: tuple[int, int], days: tuple[int, int] | None
) -> Counter[int] | None:
    """Look at rows of the days on which the nights have frames; None if they are too many."""
    in_nights = Frame.night.between(date_of(nights[0]), date_of(nights[1]))
    if days is not None and not scope.has_undated:
        scope = _narrowed(scope, *days)
    where = driving(session, scope, MOST_ROWS)
    if where is None:
        return None
    looked_at = select(Frame.night, passing(scope, in_nights).label("frames")).where(*where)
    found = _summed(session, [looked_at], MOST_ROWS)
    return Counter({(night - EPOCH).days: n for night, n in found.items() if n}) if found is not None else None


def _summed(session: Session, parts: Sequence[Select[*tuple[Any, ...]]], most: int) -> Counter[Any] | None:
    """Add up numbers of frames by night; None if there are more than ``most`` numbers in a part."""
    together = union_all(*(select(part.limit(most + 1).subquery()) for part in parts)).subquery()
    summed = select(together.c.night, func.sum(together.c.frames), func.count()).group_by(together.c.night)
    rows = session.execute(summed).all()
    if sum(int(row[2]) for row in rows) > most:
        return None
    return Counter({row[0]: int(row[1]) for row in rows})


def _narrowed(scope: Scope, first: int, last: int) -> Scope:
    """Return a scope with no more than some days of the time that it asks for."""
    wanted, begin, end = scope.wanted, midnight(first), dt.datetime.combine(date_of(last), dt.time.max)
    start = begin if wanted.start is None else max(wanted.start, begin)
    return replace(scope, wanted=replace(wanted, start=start, end=end if wanted.end is None else min(wanted.end, end)))


def _days_of(session: Session, nights: tuple[int, int]) -> tuple[int, int] | None:
    """Return the first and the last day on which frames of some nights were taken, whatever a header says of nights."""
    ends = [
        select(func.min(model.day).label("first"), func.max(model.day).label("last")).where(
            model.night.between(*nights), model.day != NO_DAY, *of_all
        )
        for model, of_all in ((TallyDay, (TallyDay.combination_id == ALL,)), (TallyChange, ()))
    ]
    together = union_all(*ends).subquery()
    first, last = session.execute(select(func.min(together.c.first), func.max(together.c.last))).one()
    return None if first is None else (first, last)
