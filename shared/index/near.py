"""Pages of frames around a position in the order of time: the first of each cell of the sky, then the first of those.

One index has the frames of a cell by time, and all that tells whether they are within the cone. So neither how many
frames are there matters, nor how long ago the position was last looked at.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, func, literal, select, true
from sqlalchemy.orm import Session, aliased

from shared.index.models import Frame
from shared.index.scope import Scope
from shared.index.selection import FrameQuery

__all__ = ["near_page"]

_FARTHEST = 2000
"""Frames of each cell that are asked for, at most."""


def near_page(
    session: Session, query: FrameQuery, scope: Scope, extra: Sequence[ColumnElement[bool]] = ()
) -> Select[int] | None:
    """Return the statement for the ids of a page; None for what this way does not serve."""
    last = query.offset + query.limit
    if (
        scope.cells is None
        or not scope.is_position_alone
        or query.sort != "DATE_OBS"
        or scope.has_undated
        or last > _FARTHEST
    ):
        return None
    moment = Frame.date_obs.desc() if query.descending else Frame.date_obs.asc()
    first = select(Frame.id, Frame.date_obs).where(*scope.rows(by_index=False), *extra)
    first = first.order_by(moment, Frame.id).limit(last)
    build = _lateral if session.get_bind().dialect.name == "postgresql" else _correlated
    found, time, frame_id = build(first, scope.cells.every)
    by = time.desc() if query.descending else time.asc()
    return found.order_by(by, frame_id).limit(query.limit).offset(query.offset)


def _lateral(first: Select[*tuple[Any, ...]], cells: Sequence[int]) -> tuple[Select[int], Any, Any]:
    """Return a statement for the ids of the first frames of all cells, with what to sort by."""
    each = func.unnest(literal(list(cells), ARRAY(BigInteger()))).table_valued("cell", name="cells").render_derived()
    of_cell = first.where(Frame.sky_cell == each.c.cell).lateral("first")
    return select(of_cell.c.id).select_from(each).join(of_cell, true()), of_cell.c.date_obs, of_cell.c.id


def _correlated(first: Select[*tuple[Any, ...]], cells: Sequence[int]) -> tuple[Select[int], Any, Any]:
    """Return the same for SQLite, which has no lateral joins."""
    each = func.json_each(literal(json.dumps(cells))).table_valued("value", name="cells")
    of_cell = first.with_only_columns(Frame.id).where(Frame.sky_cell == each.c.value).correlate(each)
    frame = aliased(Frame)
    return select(frame.id).select_from(each).join(frame, frame.id.in_(of_cell)), frame.date_obs, frame.id
