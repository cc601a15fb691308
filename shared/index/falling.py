"""Pages in falling order, of which ties break by rising id: no index has both.

The values that the page shows are read backwards from the index of the column. All frames between its first and its
last value are on it; of those that share the first or the last one, as many as their place in the order of ids says.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.index.models import Frame

__all__ = ["falling_ids"]


def falling_ids(
    session: Session,
    column: InstrumentedAttribute[Any],
    wanted: Sequence[ColumnElement[bool]],
    *,
    offset: int,
    length: int,
) -> Sequence[int]:
    """Return the ids of a page, largest value of the column first and none before it, by three statements at most."""
    falling = column.desc().nulls_first()
    values = session.scalars(select(column).where(*wanted).order_by(falling).offset(offset).limit(length)).all()
    if not values:
        return ()
    first, last = values[0], values[-1]
    skip = offset
    if offset:
        ahead = select(func.count()).select_from(Frame).where(*wanted, _is_ahead(column, first))
        skip -= session.scalar(ahead) or 0
    parts = [_tied(column, wanted, first).offset(skip).limit(sum(value == first for value in values))]
    if last != first:
        parts.append(select(Frame.id, column.label("sorted")).where(*wanted, _is_between(column, first, last)))
        parts.append(_tied(column, wanted, last).limit(sum(value == last for value in values)))
    found = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return session.scalars(select(found.c.id).order_by(found.c.sorted.desc().nulls_first(), found.c.id)).all()


def _tied(
    column: InstrumentedAttribute[Any], wanted: Sequence[ColumnElement[bool]], value: Any
) -> Select[*tuple[Any, ...]]:
    return select(Frame.id, column.label("sorted")).where(*wanted, _is(column, value)).order_by(Frame.id)


def _is(column: InstrumentedAttribute[Any], value: Any) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value


def _is_ahead(column: InstrumentedAttribute[Any], value: Any) -> ColumnElement[bool]:
    """Return the condition for what stands before a value; nothing does before none."""
    return and_(column.is_(None), column.is_not(None)) if value is None else or_(column > value, column.is_(None))


def _is_between(column: InstrumentedAttribute[Any], first: Any, last: Any) -> ColumnElement[bool]:
    return column > last if first is None else and_(column < first, column > last)
