"""Objects that could not be indexed: recorded, cleared, listed, and walked in the order of a bucket's listing."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from shared.database import utc_now
from shared.index.models import Failure
from shared.index.record import FailureRecord
from shared.index.rows import failure_values
from shared.index.upsert import upsert
from shared.index.walk import begins_with, walk_keys

__all__ = [
    "UNAVAILABLE",
    "FailedObject",
    "ask_retry",
    "clear_failure",
    "count_kinds",
    "find_failed",
    "find_failure",
    "find_failures",
    "keys_to_retry",
    "list_failures",
    "record_failure",
    "record_unavailable",
    "walk_failures",
]

UNAVAILABLE = "unavailable"
"""Kind of a failure that tells of the day, not of the object: it could not be read or written about when it was tried.

Such a failure has no ETag, and a frame of an earlier object may stand beside it.
"""

_LARGEST = 2**63 - 1
_OBJECT = (
    Failure.id,
    Failure.key,
    Failure.etag,
    Failure.version_id,
    Failure.size,
    Failure.kind,
    Failure.attempts,
    Failure.last_at,
    Failure.retry_at,
)


@dataclass(frozen=True, slots=True)
class FailedObject:
    """An object that could not be indexed, as it was when that was last tried."""

    id: int
    key: str
    etag: str | None
    version_id: str | None
    size: int | None
    kind: str
    attempts: int
    last_at: dt.datetime
    retry_at: dt.datetime | None


def record_failure(session: Session, record: FailureRecord) -> int:
    """Write an object's failure; return its id.

    Another attempt at the same object counts up; an object with another ETag begins anew. Either is the attempt that
    `ask_retry` asked for. Needs a transaction that
    writes (`shared.database.write`).
    """
    values = failure_values(record)
    now = utc_now()
    is_same = Failure.etag.is_not_distinct_from(values["etag"])
    inserted = values | {"attempts": 1, "first_at": now, "last_at": now}
    updated = values | {
        "retry_at": None,
        "attempts": case((is_same, Failure.attempts + 1), else_=1),
        "first_at": case((is_same, Failure.first_at), else_=now),
        "last_at": now,
    }
    return upsert(session, Failure, inserted, updated)


def record_unavailable(
    session: Session, bucket: str, key: str, message: str, *, attempts: int, retry_at: dt.datetime | None
) -> int:
    """Write down that an object could not be settled just now, though it may be a good one; return the failure's id.

    Parameters
    ----------
    attempts
        How often it was tried by now.
    retry_at
        When the next attempt is due; None where somebody else tries again, or nobody does any more.
    """
    unknown = FailureRecord(
        bucket=bucket, key=key, version_id=None, etag=None, size=None, kind=UNAVAILABLE, message=message
    )
    now = utc_now()
    values = failure_values(unknown) | {"attempts": attempts, "last_at": now, "retry_at": retry_at}
    first = case((Failure.kind == UNAVAILABLE, Failure.first_at), else_=now)
    return upsert(session, Failure, values | {"first_at": now}, values | {"first_at": first})


def clear_failure(session: Session, bucket: str, key: str) -> bool:
    """Forget an object's failure; tell whether there was one."""
    statement = delete(Failure).where(Failure.bucket == bucket, Failure.key == key).returning(Failure.id)
    return session.scalars(statement).one_or_none() is not None


def find_failure(session: Session, bucket: str, key: str) -> Failure | None:
    """Return an object's failure."""
    statement = select(Failure).where(Failure.bucket == bucket, Failure.key == key)
    return session.scalars(statement, execution_options={"populate_existing": True}).one_or_none()


def find_failed(session: Session, bucket: str, keys: Sequence[str]) -> dict[str, FailedObject]:
    """Return the failures of objects, by key."""
    rows = session.execute(select(*_OBJECT).where(Failure.bucket == bucket, Failure.key.in_(keys)))
    return {row.key: FailedObject(*row) for row in rows}


def find_failures(session: Session, bucket: str, keys: Sequence[str]) -> dict[str, Failure]:
    """Return the failures of objects with their reasons, by key."""
    rows = session.scalars(select(Failure).where(Failure.bucket == bucket, Failure.key.in_(keys)))
    return {failure.key: failure for failure in rows}


def ask_retry(session: Session, failure_id: int) -> Failure | None:
    """Ask for another attempt at an object, which whoever reads objects makes soon; None without such a failure.

    The attempts at one that was unavailable are counted anew.
    """
    if not 0 <= failure_id <= _LARGEST:
        return None
    attempts = case((Failure.kind == UNAVAILABLE, 0), else_=Failure.attempts)
    asked = update(Failure).where(Failure.id == failure_id).values(retry_at=utc_now(), attempts=attempts)
    statement = asked.returning(Failure)
    return session.scalars(statement, execution_options={"populate_existing": True}).one_or_none()


def keys_to_retry(session: Session, bucket: str, *, prefix: str = "", limit: int = 1000) -> Sequence[str]:
    """Return the keys of objects at which another attempt is due, those that wait longest first."""
    wanted = select(Failure.key).where(Failure.bucket == bucket, Failure.retry_at <= utc_now())
    ordered = wanted.where(*begins_with(Failure.key, prefix)).order_by(Failure.retry_at, Failure.id)
    return session.scalars(ordered.limit(limit)).all()


def list_failures(
    session: Session, *, limit: int, offset: int = 0, kind: str | None = None, prefix: str | None = None
) -> tuple[int, Sequence[Failure]]:
    """Return how many failures there are, and a page of them, latest attempt first.

    Parameters
    ----------
    kind
        Only failures of this kind, such as ``truncated``.
    prefix
        Only keys that begin so.
    """
    conditions = begins_with(Failure.key, prefix or "")
    if kind:
        conditions.append(Failure.kind == kind)
    count = session.scalar(select(func.count()).select_from(Failure).where(*conditions)) or 0
    if limit <= 0 or offset >= count:
        return count, ()
    page = select(Failure).where(*conditions).order_by(Failure.last_at.desc(), Failure.id)
    return count, session.scalars(page.limit(limit).offset(max(offset, 0))).all()


def count_kinds(session: Session, *, prefix: str = "") -> dict[str, int]:
    """Return how many failures there are of each kind, of keys that begin so; by kind."""
    counts = select(Failure.kind, func.count()).where(*begins_with(Failure.key, prefix)).group_by(Failure.kind)
    return dict(session.execute(counts.order_by(Failure.kind)).all())


def walk_failures(
    source: Session | sessionmaker[Session], bucket: str, *, prefix: str = "", after: str = "", batch: int = 1000
) -> Iterator[FailedObject]:
    """Walk the failures of a bucket as `shared.index.frames.walk_objects` walks its frames."""
    statement = select(*_OBJECT).where(Failure.bucket == bucket)
    for row in walk_keys(source, statement, Failure.key, prefix, after, batch):
        yield FailedObject(*row)
