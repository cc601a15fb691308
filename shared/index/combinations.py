"""Combinations of values and names of objects: found, or made when a frame is the first to have them."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.index.models import Combination, ObjectName

__all__ = ["COMBINED", "combination_id", "object_id", "signature"]

COMBINED = ("site", "telescope", "instrument", "image_type", "filter_name", "binning", "reduction_level")
"""Columns of a frame that make its combination."""


def signature(values: Mapping[str, Any]) -> str:
    """Return the combined values of a frame's row as one text; two are the same if and only if all values are."""
    return json.dumps([values[name] for name in COMBINED], ensure_ascii=False, separators=(",", ":"))


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


def _id(session: Session, model: type[Combination] | type[ObjectName], unique: str, row: dict[str, Any]) -> int:
    known = select(model.id).where(getattr(model, unique) == row[unique])
    found = session.scalars(known).one_or_none()
    if found is not None:
        return found
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = session.scalars(insert(model).values(**row).on_conflict_do_nothing().returning(model.id)).one_or_none()
    return made if made is not None else session.scalars(known).one()
