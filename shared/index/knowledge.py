"""What the index holds of one object, read before the object is looked at and compared before anything is written.

Two ingests of one object can overtake each other between the look and the row. Whoever writes shows what the index
held when he began; if that is no longer so, somebody else has settled the object meanwhile, and what he saw may be
newer.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.index.failures import UNAVAILABLE, find_failure
from shared.index.frames import IndexedObject, find_object
from shared.index.models import Failure
from shared.index.superseded import superseded_digests

__all__ = ["KnownFailure", "KnownObject", "known_object", "lock_object"]


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """Which object could not be indexed, and whether another attempt at it is due some time."""

    etag: str | None
    version_id: str | None
    kind: str
    attempts: int
    is_to_be_retried: bool

    @property
    def is_verdict(self) -> bool:
        """Whether it says something of the object, and not of the day on which it was tried."""
        return self.kind != UNAVAILABLE


@dataclass(frozen=True, slots=True)
class KnownObject:
    """The frame and the failure of an object, as far as there are any.

    ``superseded`` are the names of derived objects that were its frame's and are still to be deleted.
    """

    frame: IndexedObject | None
    failure: KnownFailure | None
    superseded: tuple[str, ...] = ()

    @property
    def digest(self) -> str | None:
        """The name of the frame's derived objects, which is another for each state of the object."""
        return self.frame.digest if self.frame is not None else None

    @property
    def verdict(self) -> tuple[str | None, str | None] | None:
        """ETag and version of an object that was found to be none that can be indexed."""
        failure = self.failure
        return (failure.etag, failure.version_id) if failure is not None and failure.is_verdict else None

    def agrees(self, other: "KnownObject") -> bool:
        """Whether both tell of the same state of the object."""
        return (self.digest, self.verdict) == (other.digest, other.verdict)


def known_object(session: Session, bucket: str, key: str) -> KnownObject:
    """Return what the index holds of an object."""
    failure = find_failure(session, bucket, key)
    return KnownObject(
        frame=find_object(session, bucket, key),
        failure=_known_failure(failure) if failure is not None else None,
        superseded=tuple(superseded_digests(session, bucket, key)),
    )


def lock_object(session: Session, bucket: str, key: str) -> None:
    """Keep others from writing about an object until the transaction ends.

    On PostgreSQL by an advisory lock: there may be no row to lock. On SQLite a transaction that writes
    (`shared.database.write`) is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.sha256(f"{bucket}\0{key}".encode("utf-8", "surrogatepass")).digest()
        session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest[:8], signed=True))))


def _known_failure(failure: Failure) -> KnownFailure:
    return KnownFailure(
        etag=failure.etag,
        version_id=failure.version_id,
        kind=failure.kind,
        attempts=failure.attempts,
        is_to_be_retried=failure.retry_at is not None,
    )
