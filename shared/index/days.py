"""On which days there are frames of a scope, from the tables of counts."""

import datetime as dt
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.counts import day_conditions
from shared.index.models import Combination, Frame
from shared.index.scope import EPOCH, Scope
from shared.index.tallies import ALL
from shared.index.tally_models import NO_DAY, TallyChange, TallyDay

__all__ = ["date_of", "days_of", "first_day", "midnight"]

_SPAN = 64
"""Days that are looked at first for what is near the beginning."""


def days_of(session: Session, scope: Scope, *, descending: bool, near: bool) -> Iterator[tuple[int, int, int]]:
    """Yield for each day how many frames of a scope, and how many of any, there are; in the order asked for.

    If what is wanted is ``near`` the beginning, days are asked for piece by piece: the first of them may be enough.
    """
    first, last = _extent(session, scope)
    if first is None or last is None:
        return
    span = _SPAN if near else last - first + 1
    while first <= last:
        low, high = (max(first, last - span + 1), last) if descending else (first, min(last, first + span - 1))
        found = _counted_days(session, scope, low, high)
        yield from sorted(found, reverse=descending)
        first, last, span = (first, low - 1, span * 8) if descending else (high + 1, last, span * 8)


def _extent(session: Session, scope: Scope) -> tuple[int | None, int | None]:
    """Return the first and the last day on which there can be frames of a scope."""
    ends = [
        session.execute(select(func.min(model.day), func.max(model.day)).where(model.day != NO_DAY, *of_all)).one()
        for model, of_all in ((TallyDay, (TallyDay.combination_id == ALL,)), (TallyChange, ()))
    ]
    first = min((end[0] for end in ends if end[0] is not None), default=None)
    last = max((end[1] for end in ends if end[1] is not None), default=None)
    wanted = scope.wanted
    if first is not None and wanted.start is not None:
        first = max(first, (wanted.start.date() - EPOCH).days)
    if last is not None and wanted.end is not None:
        last = min(last, (wanted.end.date() - EPOCH).days)
    return first, last


def _counted_days(session: Session, scope: Scope, low: int, high: int) -> list[tuple[int, int, int]]:
    """Return days with frames from ``low`` to ``high``; one that the scope holds in part is counted by its rows."""
    gathered = [*day_conditions(scope, TallyDay.day, TallyDay.night), TallyDay.day.between(low, high)]
    recent = [*day_conditions(scope, TallyChange.day, TallyChange.night), TallyChange.day.between(low, high)]
    if scope.combinations is None:
        gathered.append(TallyDay.combination_id == ALL)
    else:
        gathered.append(among(TallyDay.combination_id, scope.combinations))
        recent.append(among(TallyChange.combination_id, scope.combinations))
    together = union_all(
        select(TallyDay.day, TallyDay.frames).where(*gathered),
        select(TallyChange.day, TallyChange.frames).where(*recent),
    ).subquery()
    by_day = select(together.c.day, func.sum(together.c.frames)).group_by(together.c.day)
    found = {day: int(frames) for day, frames in session.execute(by_day)}
    for first, last in scope.days.edges if scope.days is not None else ():
        day = (first.date() - EPOCH).days
        if low <= day <= high:
            of_edge = select(func.count()).select_from(Frame).where(*scope.rows(), Frame.date_obs.between(first, last))
            found[day] = found.get(day, 0) + (session.scalar(of_edge) or 0)
    every: dict[int, int] = {}
    if scope.combinations is not None:
        calendar = select(TallyDay.day, func.sum(TallyDay.frames)).where(
            TallyDay.combination_id == ALL, TallyDay.day.between(low, high)
        )
        every = {day: int(frames) for day, frames in session.execute(calendar.group_by(TallyDay.day))}
    return [(day, frames, max(every.get(day, 0), frames)) for day, frames in found.items()]


def first_day(session: Session, combinations: Sequence[int], *, descending: bool) -> int | None:
    """Return the first day on which there are frames of some combinations, or the last if ``descending``."""
    end = func.max if descending else func.min
    of_one = select(end(TallyDay.day)).where(TallyDay.combination_id == Combination.id, TallyDay.day != NO_DAY)
    each = select(of_one.scalar_subquery().label("day")).where(among(Combination.id, combinations))
    recent = select(end(TallyChange.day).label("day")).where(
        among(TallyChange.combination_id, combinations), TallyChange.day != NO_DAY
    )
    days = union_all(each, recent).subquery()
    found: int | None = session.scalar(select(end(days.c.day)))
    return found


def midnight(day: int) -> dt.datetime:
    """Return the first moment of a day."""
    return dt.datetime.combine(EPOCH, dt.time()) + dt.timedelta(days=day)


def date_of(day: int) -> dt.date:
    """Return the date of a day or night as counts name it."""
    return EPOCH + dt.timedelta(days=day)
