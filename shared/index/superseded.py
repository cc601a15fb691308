"""Derived objects whose frame has gone on without them: noted with the row that took their place, until deleted.

Whoever deletes them may be killed before he does. The note is written in the transaction that makes them superfluous,
so that the next one who looks at the object deletes them.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from shared.index.models import Superseded

__all__ = ["end_superseded", "note_superseded", "superseded_digests", "superseded_keys"]


def note_superseded(session: Session, bucket: str, key: str, digest: str) -> None:
    """Write down that the derived objects under ``digest`` are to be deleted. Needs the lock of their object."""
    session.merge(Superseded(digest=digest, bucket=bucket, key=key))


def end_superseded(session: Session, digest: str) -> None:
    """Forget the note: the derived objects are deleted, or belong to a frame again."""
    session.execute(delete(Superseded).where(Superseded.digest == digest))


def superseded_digests(session: Session, bucket: str, key: str) -> Sequence[str]:
    """Return the digests of an object's derived objects that are to be deleted."""
    return session.scalars(select(Superseded.digest).where(Superseded.bucket == bucket, Superseded.key == key)).all()


def superseded_keys(session: Session, bucket: str, *, limit: int = 1000) -> Sequence[str]:
    """Return keys of objects with derived objects that are to be deleted."""
    return session.scalars(
        select(Superseded.key).where(Superseded.bucket == bucket).distinct().order_by(Superseded.key).limit(limit)
    ).all()
