"""Figures of the whole archive, for those who watch it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from shared.database import database_time
from shared.index.counts import count_frames
from shared.index.failures import UNAVAILABLE
from shared.index.missing import Missing, withheld
from shared.index.models import Attempt, Failure, OutboxMessage, Sweep
from shared.index.scope import scope_of
from shared.index.selection import FrameFilter

__all__ = ["IndexState", "index_state", "last_sweep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """What the index knows of the archive as a whole.

    ``failures`` are counted by kind, ``messages`` are notifications that wait, and those that were given up. Ages in
    seconds, None where there is nothing: of the oldest object that is under work or to be tried again, of the
    oldest notification that waits, and of the beginning of the last sweep. ``missing`` are frames without objects
    that it did not dare to remove.
    """

    frames: int
    failures: Mapping[str, int]
    unsettled: int
    oldest_unsettled: float | None
    messages_waiting: int
    messages_given_up: int
    oldest_message: float | None
    swept: float | None
    missing: Missing | None


def index_state(session: Session, bucket: str) -> IndexState:
    """Return the state of the archive; frames are counted by the tables of counts, and not one by one."""
    now = database_time(session)
    unsettled, since = session.execute(
        select(func.count(), func.min(Failure.first_at)).where(
            or_(Failure.retry_at.is_not(None), Failure.kind == UNAVAILABLE)
        )
    ).one()
    begun = session.scalar(select(func.min(Attempt.begun_at)))
    due = OutboxMessage.due_at.is_not(None)
    waiting, waits_since = session.execute(select(func.count(), func.min(OutboxMessage.created_at)).where(due)).one()
    given_up = session.scalar(select(func.count()).select_from(OutboxMessage).where(~due)) or 0
    kinds = session.execute(select(Failure.kind, func.count()).group_by(Failure.kind)).all()
    return IndexState(
        frames=count_frames(session, scope_of(session, FrameFilter(undated=True))),
        failures=dict(kinds),
        unsettled=unsettled,
        oldest_unsettled=_age(now, min((moment for moment in (since, begun) if moment is not None), default=None)),
        messages_waiting=waiting,
        messages_given_up=given_up,
        oldest_message=_age(now, waits_since),
        swept=_age(now, last_sweep(session, bucket)),
        missing=withheld(session, bucket),
    )


def last_sweep(session: Session, bucket: str) -> dt.datetime | None:
    """Return when the last comparison of the whole bucket began; it may be under way."""
    return session.scalar(
        select(func.max(Sweep.begun_at)).where(Sweep.bucket == bucket, Sweep.prefix == "", Sweep.scope != "objects")
    )


def _age(now: dt.datetime, moment: dt.datetime | None) -> float | None:
    return max(0.0, (now - moment).total_seconds()) if moment is not None else None
