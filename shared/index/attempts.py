"""Attempts to read an object that are under way: what is left of them when the process that made them dies."""

import datetime as dt

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from shared.database import utc_now
from shared.index.models import Attempt

__all__ = ["begin_attempt", "end_attempt"]


_AT_ONCE = dt.timedelta(seconds=5)


def begin_attempt(session: Session, bucket: str, key: str, etag: str) -> int:
    """Write down that the object is going to be read; return how many attempts at it have begun and not ended.

    This one counts. Attempts that begin within some seconds of each other are copies of one event at work side by
    side, and count once. Another object under the key (another ETag) begins anew. Needs a transaction that writes
    (`shared.database.write`).
    """
    now = utc_now()
    attempt = session.scalars(select(Attempt).where(Attempt.bucket == bucket, Attempt.key == key)).one_or_none()
    if attempt is None:
        session.add(Attempt(bucket=bucket, key=key, etag=etag, count=1, begun_at=now))
        return 1
    if attempt.etag != etag:
        attempt.etag, attempt.count, attempt.begun_at = etag, 1, now
    elif now - attempt.begun_at > _AT_ONCE:
        attempt.count, attempt.begun_at = attempt.count + 1, now
    return attempt.count


def end_attempt(session: Session, bucket: str, key: str) -> None:
    """Forget the attempts at an object: one of them has ended, well or with a reason."""
    session.execute(delete(Attempt).where(Attempt.bucket == bucket, Attempt.key == key))
