"""The outbox as an operator sees it: what waits, what was given up, and what becomes of that."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from shared.database import utc_now
from shared.index.models import OutboxMessage

__all__ = [
    "Backlog",
    "count_messages",
    "drop_given_up",
    "drop_messages",
    "drop_old",
    "list_messages",
    "retry_given_up",
]


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages to a target wait, and how many were given up."""

    target: str
    waiting: int
    given_up: int


def count_messages(session: Session) -> Sequence[Backlog]:
    """Return the backlog of each target that has one."""
    given_up = func.count().filter(OutboxMessage.due_at.is_(None))
    waiting = func.count(OutboxMessage.due_at)
    statement = select(OutboxMessage.target, waiting, given_up).group_by(OutboxMessage.target)
    return [Backlog(*row) for row in session.execute(statement.order_by(OutboxMessage.target))]


def list_messages(session: Session, *, limit: int) -> Sequence[OutboxMessage]:
    """Return messages, those that were given up before those that wait, each the oldest first."""
    is_waiting = OutboxMessage.due_at.is_not(None)
    return session.scalars(select(OutboxMessage).order_by(is_waiting, OutboxMessage.id).limit(limit)).all()


def retry_given_up(session: Session) -> int:
    """Have every message that was given up tried again from the start; return their number."""
    statement = update(OutboxMessage).where(OutboxMessage.due_at.is_(None)).values(due_at=utc_now(), attempts=0)
    return len(session.scalars(statement.returning(OutboxMessage.id)).all())


def drop_messages(session: Session, ids: Sequence[int]) -> Sequence[int]:
    """Drop messages, whether they wait or were given up; return the ids of those that were there."""
    statement = delete(OutboxMessage).where(OutboxMessage.id.in_(ids)).returning(OutboxMessage.id)
    return session.scalars(statement).all()


def drop_given_up(session: Session) -> int:
    """Drop every message that was given up; return their number."""
    statement = delete(OutboxMessage).where(OutboxMessage.due_at.is_(None)).returning(OutboxMessage.id)
    return len(session.scalars(statement).all())


def drop_old(session: Session, before: dt.datetime) -> int:
    """Drop messages that were given up and are older than a moment; return their number."""
    is_old = OutboxMessage.due_at.is_(None) & (OutboxMessage.created_at < before)
    return len(session.scalars(delete(OutboxMessage).where(is_old).returning(OutboxMessage.id)).all())
