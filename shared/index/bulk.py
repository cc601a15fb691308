"""Many frames at once: for an index that is made anew from what is known, not for ingest.

Rows go in by some hundred with one statement. Frames that are there already are replaced and keep their ids.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import cast

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.database import utc_now
from shared.index.among import among
from shared.index.many_ids import ManyIds
from shared.index.models import Frame, FrameLink
from shared.index.record import FrameRecord
from shared.index.rows import frame_values, link_values

__all__ = ["put_frames"]

_AT_ONCE = 500
_FRAMES, _LINKS = cast("Table", Frame.__table__), cast("Table", FrameLink.__table__)
_KEPT = ("id", "bucket", "key", "ingested_at")


def put_frames(session: Session, records: Iterable[FrameRecord]) -> int:
    """Write the frames of many objects; return how many. Needs a transaction that writes.

    What `shared.index.frames.put_frame` does for one, but for reserved ids: a record whose object has one is written by
    that.
    """
    ids = ManyIds(session)
    count = 0
    iterator = iter(records)
    while batch := list(islice(iterator, _AT_ONCE)):
        _put(session, ids, {(record.bucket, record.key): record for record in batch})
        count += len(batch)
    return count


def _put(session: Session, ids: ManyIds, records: Mapping[tuple[str, str], FrameRecord]) -> None:
    now = {"ingested_at": utc_now(), "updated_at": utc_now()}
    values = [frame_values(record) for record in records.values()]
    rows = [row | counted | now for row, counted in zip(values, ids.of(values), strict=True)]
    connection = session.connection()
    module = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = module.insert(_FRAMES)
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in _KEPT}
    connection.execute(statement.on_conflict_do_update(index_elements=["bucket", "key"], set_=replaced), rows)
    found = {
        (bucket, key): frame_id
        for bucket in {row["bucket"] for row in rows}
        for frame_id, key in connection.execute(
            select(_FRAMES.c.id, _FRAMES.c.key).where(
                _FRAMES.c.bucket == bucket, _FRAMES.c.key.in_([row["key"] for row in rows if row["bucket"] == bucket])
            )
        )
    }
    connection.execute(delete(_LINKS).where(among(_LINKS.c.frame_id, found.values())))
    links = [
        link | {"frame_id": found[place]} for place, record in records.items() for link in link_values(record.links)
    ]
    if links:
        connection.execute(insert(_LINKS), links)
