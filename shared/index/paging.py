"""Which frames stand on a page, by the way that costs least.

How many frames there are is known exactly before, so that no guess of a database is needed. A page is walked to in the
order of the index of its column, testing each row, where many rows pass; or all that pass are gathered by another index
and sorted, where there are few. In the order of time, counts by day tell between which days the page lies, however far
down the list it is.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.index.cursor import Position
from shared.index.days import days_of, first_day, midnight
from shared.index.falling import falling_ids
from shared.index.models import Frame
from shared.index.name_counts import combinations_by_name
from shared.index.name_parts import SHORTEST
from shared.index.near import near_page
from shared.index.scope import Days, Scope
from shared.index.selection import SORT_COLUMNS, FrameQuery

__all__ = ["Window", "ordering", "page_ids", "page_statement", "window_of"]

_SEEK = 8.0
_GATHERED = 1.5
_WALKED = 1.0
"""Relative costs: to begin at a place of an index; a row that is fetched and sorted; a row that is walked over."""

_FEW = 2000
"""Frames that are gathered and sorted without much thought."""

_NEAR = 5000
"""Rows that are skipped sooner than counts by day are asked for."""


@dataclass(frozen=True, slots=True)
class Window:
    """The range of time, ``first`` inclusive and ``stop`` exclusive, that a page lies in.

    ``offset`` is how many frames of the scope in it stand before the page, ``rows`` how many of any scope are in it.
    """

    first: dt.datetime | None
    stop: dt.datetime | None
    offset: int
    rows: int
    matching: int


def ordering(query: FrameQuery) -> Sequence[UnaryExpression[Any]]:
    """Return what sorts the frames of a query: its column, then the id."""
    column = _column(query)
    ordered = column.desc() if query.descending else column.asc()
    always_there = not Frame.__table__.columns[column.key].nullable
    if not always_there and not (query.sort == "DATE_OBS" and not query.filter.undated):
        ordered = ordered.nulls_first() if query.descending else ordered.nulls_last()
    return (ordered, Frame.id.asc()) if query.sort != "id" else (ordered,)


def page_ids(session: Session, query: FrameQuery, scope: Scope, count: int) -> Sequence[int]:
    """Return the ids of the page's frames in its order; ``count`` is how many the scope holds."""
    length = min(query.limit, count - query.offset)
    if length <= 0:
        return ()
    near = near_page(session, query, scope)
    if near is not None:
        return session.scalars(near).all()
    window = (count > _FEW and _window(session, query, scope, length)) or _anywhere(session, query, scope, count)
    if query.descending and query.sort not in ("id", "DATE_OBS") and not _is_gathered(scope, window, length):
        wanted = scope.rows(by_index=False)
        return falling_ids(session, _column(query), wanted, offset=query.offset, length=length)
    statement = page_statement(query, scope, window, length, extra=[])
    return session.scalars(statement).all()


def window_of(session: Session, query: FrameQuery, scope: Scope, position: Position | None, count: int) -> Window:
    """Return where in time the page behind a position lies."""
    ties = 0
    if position is not None and query.sort == "DATE_OBS" and isinstance(position.value, dt.datetime):
        moment, wanted = position.value, scope.wanted
        if query.descending:
            ahead = replace(wanted, end=min(wanted.end or moment, moment))
        else:
            ahead = replace(wanted, start=max(wanted.start or moment, moment))
        same = (Frame.date_obs == moment, Frame.id <= position.id)
        ties = session.scalar(select(func.count()).select_from(Frame).where(*same)) or 0
        scope = replace(scope, wanted=ahead, days=Days.of(ahead.start, ahead.end))
    return (count > _FEW and _window(session, query, scope, query.limit + ties)) or _anywhere(
        session, query, scope, count
    )


def _anywhere(session: Session, query: FrameQuery, scope: Scope, count: int) -> Window:
    every = _every(session) if _has_own_index(scope) and count > _FEW else count
    window = Window(None, None, query.offset, every, count)
    in_time = query.sort == "DATE_OBS" and not scope.has_undated
    named = combinations_by_name(session, scope) if count > _FEW and in_time else None
    if named is None:
        return window
    # An instrument that came late has none of the frames that are walked over first.
    day = first_day(session, named, descending=query.descending)
    if day is None:
        return window
    return replace(window, stop=midnight(day + 1)) if query.descending else replace(window, first=midnight(day))


def page_statement(
    query: FrameQuery, scope: Scope, window: Window, length: int, extra: Sequence[ColumnElement[bool]]
) -> Select[int]:
    """Return the statement for the ids of a page, by the cheaper of two ways."""
    is_gathered = _is_gathered(scope, window, length)
    wanted = [*scope.rows(by_index=is_gathered), *extra]
    if window.first is not None:
        wanted.append(Frame.date_obs >= window.first)
    if window.stop is not None:
        wanted.append(Frame.date_obs < window.stop)
    order = ordering(query)
    if not is_gathered:
        return select(Frame.id).where(*wanted).order_by(*order).limit(length).offset(window.offset)
    column = _column(query)
    found = select(Frame.id, column.label("sorted")).where(*wanted).cte("found").prefix_with("MATERIALIZED")
    by: Any = found.c.sorted.desc().nulls_first() if query.descending else found.c.sorted.asc().nulls_last()
    return select(found.c.id).order_by(by, found.c.id).limit(length).offset(window.offset)


def _is_gathered(scope: Scope, window: Window, length: int) -> bool:
    if not _has_own_index(scope):
        return False
    if window.matching <= _FEW:
        return True
    seeks = len(scope.combinations or ()) + len(scope.objects or ())
    gathered = _SEEK * seeks + _GATHERED * window.matching
    walked = _WALKED * min(window.rows, (window.offset + length) * window.rows / max(window.matching, 1))
    return gathered < walked


def _has_own_index(scope: Scope) -> bool:
    """Whether there is an index by which the frames of a scope can be gathered."""
    wanted = scope.wanted
    return (
        scope.combinations is not None
        or scope.objects is not None
        or wanted.cone is not None
        or wanted.night is not None
        or len(wanted.basename_part or "") >= SHORTEST
        or wanted.request_number is not None
        or wanted.observation_number is not None
    )


def _every(session: Session) -> int:
    """Return about how many frames there are, which is enough for a choice."""
    return session.scalar(select(func.max(Frame.id))) or 0


def _window(session: Session, query: FrameQuery, scope: Scope, length: int) -> Window | None:
    """Return where in time a page lies, where counts can tell."""
    if query.sort != "DATE_OBS" or scope.has_undated or not scope.is_countable or scope.objects is not None:
        return None
    if query.offset <= _NEAR and scope.combinations is None:
        return None
    before, total, rows, first, last = 0, 0, 0, None, None
    near = query.offset <= _NEAR and scope.wanted.night is None
    for day, frames, every in days_of(session, scope, descending=query.descending, near=near):
        if first is None and total + frames > query.offset:
            first, before = day, total
        total += frames
        if first is not None:
            rows += every
            last = day
        if total >= query.offset + length:
            break
    if first is None or last is None:
        return None
    earliest, latest = min(first, last), max(first, last)
    return Window(
        first=midnight(earliest),
        stop=midnight(latest + 1),
        offset=query.offset - before,
        rows=rows,
        matching=total - before,
    )


def _column(query: FrameQuery) -> InstrumentedAttribute[Any]:
    column: InstrumentedAttribute[Any] = getattr(Frame, SORT_COLUMNS[query.sort])
    return column
