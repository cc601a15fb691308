"""The outbox: what others are to be told of, written in the transaction that makes it so, and claimed to be sent.

A message goes when its target has it, so whatever is killed between the two sends it again. The messages of one
object to one target follow each other: the next can be claimed when the one before is delivered or given up.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from shared.database import utc_now
from shared.index.announcements import announcements, payload, told
from shared.index.models import OutboxMessage
from shared.index.text import clean_text

__all__ = ["Message", "announcing", "claim", "delivered", "has_due", "not_delivered", "put_back"]

_MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Message:
    """A claimed message. ``attempts`` counts this one as well, and shows whether the claim is still ours."""

    id: int
    target: str
    event_id: str
    type: str
    bucket: str
    key: str
    payload: dict[str, Any]
    attempts: int


@contextmanager
def announcing(session: Session, targets: Collection[str], bucket: str, key: str) -> Iterator[None]:
    """Write messages of what the block changes about an object, to each target, in the same transaction.

    Nobody else may write about the object until that transaction ends (`shared.index.knowledge.lock_object`).
    """
    if not targets:
        yield
        return
    before = told(session, bucket, key)
    yield
    now = utc_now()
    for announcement in announcements(before, told(session, bucket, key)):
        event_id = str(uuid.uuid4())
        document = payload(announcement, event_id=event_id, time=now, bucket=bucket, key=key)
        for target in targets:
            message = OutboxMessage(
                target=target,
                event_id=event_id,
                type=announcement.type,
                bucket=bucket,
                key=key,
                payload=document,
                created_at=now,
                due_at=now,
                attempts=0,
            )
            session.add(message)
            session.flush()  # one by one, so that ids are in this order


def has_due(session: Session, targets: Collection[str]) -> bool:
    """Tell whether an attempt may begin now. Reads only, where `claim` would wait for the right to write."""
    return session.scalars(select(OutboxMessage.id).where(*_is_due(targets)).limit(1)).first() is not None


def claim(session: Session, targets: Collection[str], *, limit: int, seconds: float) -> Sequence[Message]:
    """Take up to ``limit`` messages, those that wait longest first, and keep others from them for some seconds.

    Of one object and target there is never more than one. Needs a transaction that writes.
    """
    ordered = select(OutboxMessage).where(*_is_due(targets)).order_by(OutboxMessage.due_at, OutboxMessage.id)
    rows = session.scalars(ordered.limit(limit).with_for_update(skip_locked=True, of=OutboxMessage)).all()
    until = utc_now() + dt.timedelta(seconds=seconds)
    for row in rows:
        row.attempts, row.due_at = row.attempts + 1, until
    return [
        Message(row.id, row.target, row.event_id, row.type, row.bucket, row.key, row.payload, row.attempts)
        for row in rows
    ]


def delivered(session: Session, message: Message) -> None:
    """Forget a message: its target has it, whoever claimed it meanwhile."""
    session.execute(delete(OutboxMessage).where(OutboxMessage.id == message.id))


def not_delivered(session: Session, message: Message, reason: str, *, wait: float | None) -> bool:
    """Write down why an attempt failed; False if somebody else has claimed the message meanwhile.

    Parameters
    ----------
    wait
        Seconds until the next attempt; None gives the message up.
    """
    due_at = utc_now() + dt.timedelta(seconds=wait) if wait is not None else None
    values = {"due_at": due_at, "reason": clean_text(reason, _MAX_REASON)}
    statement = update(OutboxMessage).where(_is_ours(message)).values(**values).returning(OutboxMessage.id)
    return session.scalars(statement).one_or_none() is not None


def put_back(session: Session, message: Message) -> None:
    """Give a claim back that was not used: no attempt was made."""
    values = {"due_at": utc_now(), "attempts": message.attempts - 1}
    session.execute(update(OutboxMessage).where(_is_ours(message)).values(**values))


def _is_ours(message: Message) -> ColumnElement[bool]:
    return and_(
        OutboxMessage.id == message.id,
        OutboxMessage.attempts == message.attempts,
        OutboxMessage.due_at.is_not(None),
    )


def _is_due(targets: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    earlier = aliased(OutboxMessage)
    waits_for = exists().where(
        earlier.bucket == OutboxMessage.bucket,
        earlier.key == OutboxMessage.key,
        earlier.target == OutboxMessage.target,
        earlier.id < OutboxMessage.id,
        earlier.due_at.is_not(None),
    )
    return OutboxMessage.due_at <= utc_now(), OutboxMessage.target.in_(sorted(targets)), ~waits_for
