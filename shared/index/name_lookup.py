"""Which shapes of basenames have a part: looked up once for all that a request asks of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from shared.index.conditions import TextPosition
from shared.index.models import Frame, NameShape
from shared.index.shapes import sought

__all__ = ["NameLookup", "find_names"]

_FEW = 2000
"""Shapes that are listed; of more it is asked anew which have the part."""


@dataclass(frozen=True, slots=True)
class NameLookup:
    """What is known of a part of basenames.

    ``sure`` are the shapes whose frames have it, each with its numbers of frames with and without date, None if there
    are too many to list; ``possible`` those of which only rows can tell, with the same numbers. ``has_shapeless`` tells
    whether there are frames without shape. ``is_sure`` and ``may_be`` (surely or possibly) are conditions on shapes.
    """

    is_sure: ColumnElement[bool]
    may_be: ColumnElement[bool]
    sure: Sequence[tuple[int, int, int]] | None
    possible: Sequence[tuple[int, int, int]]
    has_shapeless: bool


def find_names(session: Session, part: str) -> NameLookup | None:
    """Look a folded part up, by two or three statements; None where only rows can tell."""
    meant = sought(part)
    if meant.sure is None or meant.possible is None:
        return None
    is_sure = TextPosition(NameShape.shape, meant.sure) > 0
    may_be = or_(*(TextPosition(NameShape.shape, way) > 0 for way in (meant.sure, *meant.possible)))
    numbers = select(NameShape.id, NameShape.dated, NameShape.undated)
    found = session.execute(numbers.add_columns(is_sure).where(may_be).limit(_FEW + 1)).all()
    sure: list[tuple[int, int, int]] | None = [(row[0], row[1], row[2]) for row in found if row[3]]
    possible = [(row[0], row[1], row[2]) for row in found if not row[3]]
    if len(found) > _FEW:
        sure = None
        others = session.execute(numbers.where(may_be, ~is_sure)) if meant.possible else ()
        possible = [(row[0], row[1], row[2]) for row in others]
    has_shapeless = session.scalar(select(exists().where(Frame.shape_id.is_(None))))
    return NameLookup(is_sure, may_be, sure, possible, bool(has_shapeless))
