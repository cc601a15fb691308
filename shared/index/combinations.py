"""Combinations of values, names of objects, shapes of basenames: found, or made for the first frame that has them."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.index.models import Combination, NameShape, ObjectName
from shared.index.shapes import name_shape

__all__ = ["COMBINED", "combination_id", "ids_of", "object_id", "shape_id", "signature"]

COMBINED = ("site", "telescope", "instrument", "image_type", "filter_name", "binning", "reduction_level")
"""Columns of a frame that make its combination."""

MOST_SHAPES = 200_000
"""Shapes of basenames that are told apart."""


def signature(values: Mapping[str, Any]) -> str:
    """Return the combined values of a frame's row as one text; two are the same if and only if all values are."""
    return json.dumps([values[name] for name in COMBINED], ensure_ascii=False, separators=(",", ":"))


def ids_of(session: Session, values: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the columns of a frame's row that say what it is counted with."""
    return {
        "combination_id": combination_id(session, values),
        "object_id": object_id(session, values),
        "shape_id": shape_id(session, values),
    }


def combination_id(session: Session, values: Mapping[str, Any]) -> int:
    """Return the id of the combination that a frame's row has."""
    row = {name: values[name] for name in COMBINED} | {"signature": signature(values), "dated": 0, "undated": 0}
    return _id(session, Combination, "signature", row)


def object_id(session: Session, values: Mapping[str, Any]) -> int | None:
    """Return the id of the name of the object that a frame's row has; None if it has none."""
    name = values["object_name"]
    if name is None:
        return None
    row = {"name": name, "folded": values["object_folded"], "dated": 0, "undated": 0}
    return _id(session, ObjectName, "name", row)


def shape_id(session: Session, values: Mapping[str, Any]) -> int | None:
    """Return the id of the shape that the basename of a frame's row has; None for one shape too many."""
    shape = name_shape(values["basename_folded"])
    if shape is None:
        return None
    known = session.scalars(select(NameShape.id).where(NameShape.shape == shape)).one_or_none()
    if known is not None or (session.scalar(select(func.max(NameShape.id))) or 0) >= MOST_SHAPES:
        return known
    return _id(session, NameShape, "shape", {"shape": shape, "dated": 0, "undated": 0})


def _id(session: Session, model: type[Combination | ObjectName | NameShape], unique: str, row: dict[str, Any]) -> int:
    known = select(model.id).where(getattr(model, unique) == row[unique])
    found = session.scalars(known).one_or_none()
    if found is not None:
        return found
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = session.scalars(insert(model).values(**row).on_conflict_do_nothing().returning(model.id)).one_or_none()
    return made if made is not None else session.scalars(known).one()
