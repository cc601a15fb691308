"""Frames as rows: written, removed, found by key, and walked in the order of a bucket's listing."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, sessionmaker

from shared.database import utc_now
from shared.index.combinations import ids_of
from shared.index.models import Frame, FrameLink
from shared.index.record import FrameRecord
from shared.index.reservations import add_reserved_links, reserved_id
from shared.index.rows import frame_values, link_values
from shared.index.upsert import upsert
from shared.index.walk import walk_keys

__all__ = ["IndexedObject", "find_object", "find_objects", "put_frame", "remove_frame", "walk_objects"]

_OBJECT = (Frame.id, Frame.key, Frame.etag, Frame.version_id, Frame.size, Frame.last_modified, Frame.digest)


@dataclass(frozen=True, slots=True)
class IndexedObject:
    """What the index knows of the object behind a frame."""

    id: int
    key: str
    etag: str
    version_id: str | None
    size: int
    last_modified: dt.datetime
    digest: str


def put_frame(session: Session, record: FrameRecord) -> int:
    """Write the frame of an object; one that is there already keeps its id and its time of ingest.

    A new one gets the id that is reserved for it, if there is one. Needs a transaction that writes
    (`shared.database.write`). Returns the frame's id.
    """
    values = frame_values(record)
    values |= ids_of(session, values)
    now = utc_now()
    reserved = reserved_id(session, record.bucket, record.key)
    chosen = {"id": reserved} if reserved is not None else {}
    new = values | chosen | {"ingested_at": now, "updated_at": now}
    frame_id = upsert(session, Frame, new, values | {"updated_at": now})
    session.execute(delete(FrameLink).where(FrameLink.frame_id == frame_id))
    links = link_values(record.links)
    if links:
        session.execute(insert(FrameLink), [link | {"frame_id": frame_id} for link in links])
    if frame_id == reserved:
        add_reserved_links(session, frame_id, record.sha256)
    return frame_id


def remove_frame(session: Session, bucket: str, key: str) -> bool:
    """Remove the frame of an object and its links; tell whether there was one."""
    statement = delete(Frame).where(Frame.bucket == bucket, Frame.key == key).returning(Frame.id)
    return session.scalars(statement).one_or_none() is not None


def find_object(session: Session, bucket: str, key: str) -> IndexedObject | None:
    """Return what the index knows of an object."""
    row = session.execute(select(*_OBJECT).where(Frame.bucket == bucket, Frame.key == key)).one_or_none()
    return IndexedObject(*row) if row is not None else None


def find_objects(session: Session, bucket: str, keys: Sequence[str]) -> dict[str, IndexedObject]:
    """Return what the index knows of objects, by key."""
    rows = session.execute(select(*_OBJECT).where(Frame.bucket == bucket, Frame.key.in_(keys)))
    return {row.key: IndexedObject(*row) for row in rows}


def walk_objects(
    source: Session | sessionmaker[Session], bucket: str, *, prefix: str = "", after: str = "", batch: int = 1000
) -> Iterator[IndexedObject]:
    """Walk the frames of a bucket in the byte order of their keys, `batch` of them in memory at a time.

    Parameters
    ----------
    source
        A session, or a factory: then each batch is read in a transaction of its own.
    prefix
        Only keys that begin so.
    after
        Only keys beyond this one.
    """
    for row in walk_keys(source, select(*_OBJECT).where(Frame.bucket == bucket), Frame.key, prefix, after, batch):
        yield IndexedObject(*row)
