"""Many frames at once: for an index that is made anew from what is known, not for ingest.

Rows go in by some hundred with one statement. Frames that are there already are replaced and keep their ids.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.database import utc_now
from shared.index.among import among
from shared.index.combinations import combination_id, object_id, shape_id, signature
from shared.index.models import Frame, FrameLink
from shared.index.record import FrameRecord
from shared.index.rows import frame_values, link_values
from shared.index.shapes import name_shape

__all__ = ["put_frames"]

_AT_ONCE = 500


def put_frames(session: Session, records: Iterable[FrameRecord]) -> int:
    """Write the frames of many objects; return how many. Needs a transaction that writes.

    What `shared.index.frames.put_frame` does for one, but for reserved ids: a record whose object has one is written by
    that.
    """
    ids = _Ids(session)
    count = 0
    iterator = iter(records)
    while batch := list(islice(iterator, _AT_ONCE)):
        _put(session, ids, {record.key: record for record in batch})
        count += len(batch)
    return count


class _Ids:
    """Ids of combinations, names of objects and shapes of basenames, each asked for once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._combinations: dict[str, int] = {}
        self._objects: dict[str, int | None] = {}
        self._shapes: dict[str | None, int | None] = {}

    def of(self, values: Mapping[str, Any]) -> dict[str, int | None]:
        combined, name = signature(values), values["object_name"]
        shape = name_shape(values["basename_folded"])
        if combined not in self._combinations:
            self._combinations[combined] = combination_id(self._session, values)
        if name is not None and name not in self._objects:
            self._objects[name] = object_id(self._session, values)
        if shape not in self._shapes:
            self._shapes[shape] = shape_id(self._session, values)
        return {
            "combination_id": self._combinations[combined],
            "object_id": self._objects.get(name),
            "shape_id": self._shapes[shape],
        }


def _put(session: Session, ids: _Ids, records: Mapping[str, FrameRecord]) -> None:
    now = utc_now()
    rows = []
    for record in records.values():
        values = frame_values(record)
        rows.append(values | ids.of(values) | {"ingested_at": now, "updated_at": now})
    module = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = module.insert(Frame)
    kept = ("id", "bucket", "key", "ingested_at")
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in kept}
    upserted = statement.on_conflict_do_update(index_elements=["bucket", "key"], set_=replaced)
    written = session.execute(upserted.returning(Frame.id, Frame.key), rows).all()
    session.execute(delete(FrameLink).where(among(FrameLink.frame_id, [row.id for row in written])))
    links = [link | {"frame_id": row.id} for row in written for link in link_values(records[row.key].links)]
    if links:
        session.execute(insert(FrameLink), links)
