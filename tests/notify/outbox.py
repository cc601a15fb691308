"""Messages in an outbox, as frames that come and go leave them there."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.index.frames import put_frame, remove_frame
from shared.index.models import OutboxMessage
from shared.index.outbox import announcing
from tests.index.factory import make_record

__all__ = ["left", "put", "remove"]

TARGETS = ("webhook",)


def put(
    sessions: sessionmaker[Session], keys: Iterable[str], *, etag: str = "e1", targets: Sequence[str] = TARGETS
) -> None:
    """Index frames, each in a transaction of its own."""
    for key in keys:
        with write(sessions) as session, announcing(session, targets, "frames", key):
            put_frame(session, make_record(key=key, etag=etag))


def remove(sessions: sessionmaker[Session], key: str, *, targets: Sequence[str] = TARGETS) -> None:
    """Take a frame out."""
    with write(sessions) as session, announcing(session, targets, "frames", key):
        remove_frame(session, "frames", key)


def left(sessions: sessionmaker[Session]) -> Sequence[OutboxMessage]:
    """Return what the outbox holds."""
    with read(sessions) as session:
        return session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
