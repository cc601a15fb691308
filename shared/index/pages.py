"""Keyset pages: the next frames beyond a position, at the same cost however far a walk has come."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.errors import InvalidParameterError
from shared.index.counts import count_frames
from shared.index.cursor import START, Cursor, Position, write_cursor
from shared.index.models import Frame
from shared.index.near import near_page
from shared.index.paging import page_statement, window_of
from shared.index.query import FramePage, rows_of
from shared.index.scope import Scope, scope_of
from shared.index.selection import SORT_COLUMNS, FrameQuery

__all__ = ["walk_frames"]


def walk_frames(session: Session, query: FrameQuery) -> FramePage:
    """Return the page behind the query's cursor, and the cursor of the page behind that.

    Frames are counted on the first page alone; the cursor carries the count on. A frame that is there from the first
    page to the last is met once, whatever comes and goes meanwhile.

    Raises
    ------
    InvalidParameterError
        The cursor was not made for this order.
    """
    cursor = query.cursor or START
    scope = scope_of(session, query.filter)
    count = cursor.count if cursor.count is not None else count_frames(session, scope)
    if query.limit <= 0:
        return FramePage(count, ())
    ids = _ids(session, query, scope, cursor, count)
    rows = rows_of(session, ids[: query.limit])
    if len(ids) <= query.limit or not rows:
        return FramePage(count, rows)
    last = rows[-1].frame
    value = session.scalar(select(getattr(Frame, SORT_COLUMNS[query.sort])).where(Frame.id == last.id))
    position = Position(value, last.id)
    text = write_cursor(Cursor(position, count), query.sort, descending=query.descending)
    return FramePage(count, rows, text)


def _ids(session: Session, query: FrameQuery, scope: Scope, cursor: Cursor, count: int) -> Sequence[int]:
    """Return the ids of the page behind a position, and one more if there is one."""
    beyond = [] if cursor.position is None else [_beyond(query, cursor.position)]
    onward = replace(query, limit=query.limit + 1, offset=0)
    near = near_page(session, onward, scope, beyond)
    if near is not None:
        return session.scalars(near).all()
    statement = page_statement(
        onward, scope, window_of(session, onward, scope, cursor.position, count), onward.limit, beyond
    )
    return session.scalars(statement).all()


def _beyond(query: FrameQuery, position: Position) -> ColumnElement[bool]:
    """Return the condition for what `ordering` puts behind a position: nulls last, or first if descending."""
    column: InstrumentedAttribute[Any] = getattr(Frame, SORT_COLUMNS[query.sort])
    value, later = position.value, Frame.id > position.id
    if query.sort == "id":
        return Frame.id < position.id if query.descending else later
    is_nullable = bool(Frame.__table__.columns[column.key].nullable)
    if value is None:
        if not is_nullable:
            raise InvalidParameterError("cursor")
        rest = and_(column.is_(None), later)
        return or_(rest, column.is_not(None)) if query.descending else rest
    if not isinstance(value, column.type.python_type):
        raise InvalidParameterError("cursor")
    # The first condition of each pair is what an index can begin at.
    if query.descending:
        return and_(column <= value, or_(column < value, later))
    rest = and_(column >= value, or_(column > value, later))
    return (
        or_(rest, column.is_(None))
        if is_nullable and (query.sort, query.filter.undated) != ("DATE_OBS", False)
        else rest
    )
