"""Keyset pages: the next frames beyond a position, at the same cost however far a walk has come."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.errors import InvalidParameterError
from shared.index.conditions import conditions
from shared.index.cursor import START, Cursor, Position, write_cursor
from shared.index.models import Frame
from shared.index.query import FramePage, FrameRow, ordering, related_ids
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
    wanted = conditions(query.filter)
    count = cursor.count
    if count is None:
        count = session.scalar(select(func.count()).select_from(Frame).where(*wanted)) or 0
    if query.limit <= 0:
        return FramePage(count, ())
    if cursor.position is not None:
        wanted.append(_beyond(query, cursor.position))
    order = ordering(query)
    page = select(Frame.id).where(*wanted).order_by(*order).limit(query.limit + 1).subquery()
    frames = list(session.scalars(select(Frame).join(page, page.c.id == Frame.id).order_by(*order)))
    has_more = len(frames) > query.limit
    frames = frames[: query.limit]
    related = related_ids(session, [frame.id for frame in frames])
    rows = tuple(FrameRow(frame, related[frame.id]) for frame in frames)
    if not has_more:
        return FramePage(count, rows)
    position = Position(getattr(frames[-1], SORT_COLUMNS[query.sort]), frames[-1].id)
    text = write_cursor(Cursor(position, count), query.sort, descending=query.descending)
    return FramePage(count, rows, text)


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
