"""Bundles that were ordered, as rows: ordered once, claimed under a lease, gone on with, ended, forgotten.

Leases are by the database's clock. Every function needs a transaction that writes (`shared.database.write`), where it
is not said otherwise.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from shared.bundle.inside import Wish
from shared.database import database_time
from shared.index.bundle_jobs import BundleJob
from shared.index.bundles import BundleFrame

__all__ = [
    "Order",
    "State",
    "claim_job",
    "count_jobs",
    "count_unfinished",
    "delete_job",
    "due_job",
    "ends_at",
    "find_job",
    "forget_job",
    "jobs_of",
    "order_bundle",
    "overdue_jobs",
    "set_values",
]

_LIST = 100
_STILL_LIVES = dt.timedelta(minutes=10)


class State(StrEnum):
    """What has become of a bundle."""

    QUEUED = "queued"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


_LIVING = (State.QUEUED, State.BUILDING, State.READY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an account wants: the frames as they are now, in their order."""

    user_id: int
    wish: Wish
    frames: Sequence[BundleFrame]
    uncompress: bool = False

    def digest(self) -> str:
        """Return a hex name of exactly this order."""
        told = [str(self.user_id), str(self.uncompress), self.wish.day.isoformat(), *self.wish.asked]
        told += [f"{frame.id} {frame.etag} {frame.version_id} {frame.size}" for frame in self.frames]
        return hashlib.sha256("\n".join(told).encode(errors="surrogatepass")).hexdigest()


def order_bundle(session: Session, order: Order) -> tuple[BundleJob, bool]:
    """Return the bundle of an order, and whether it is new: one that is under way or lives on is used again."""
    digest, now = order.digest(), database_time(session)
    lives = or_(BundleJob.expires_at.is_(None), BundleJob.expires_at > now + _STILL_LIVES)
    known = select(BundleJob).where(BundleJob.digest == digest, BundleJob.state.in_(_LIVING), lives)
    found = session.scalars(known.order_by(BundleJob.created_at.desc()).limit(1)).one_or_none()
    if found is not None:
        return found, False
    made = BundleJob(
        id=secrets.token_hex(16),
        user_id=order.user_id,
        digest=digest,
        secret=secrets.token_hex(32),
        day=order.wish.day,
        asked=list(order.wish.asked),
        frame_ids=[frame.id for frame in order.frames],
        uncompress=order.uncompress,
        state=State.QUEUED,
        frames=len(order.frames),
        size=sum(frame.size for frame in order.frames),
        done=0,
        passed=0,
        left_out=[],
        uploads={},
        attempts=0,
        created_at=now,
        updated_at=now,
        due_at=now,
    )
    session.add(made)
    session.flush()
    return made, True


def find_job(session: Session, job_id: str) -> BundleJob | None:
    """Return a bundle that was not deleted. Only reads."""
    return session.scalars(_shown().where(BundleJob.id == job_id)).one_or_none()


def jobs_of(
    session: Session, user_id: int, *, limit: int = _LIST, offset: int = 0, state: State | None = None
) -> Sequence[BundleJob]:
    """Return a page of an account's bundles, or of those in a state, the newest first. Only reads."""
    newest = BundleJob.created_at.desc(), BundleJob.id
    return session.scalars(_of(user_id, state).order_by(*newest).limit(limit).offset(offset)).all()


def count_jobs(session: Session, user_id: int, state: State | None = None) -> int:
    """Return how many bundles an account has, or how many of them in a state. Only reads."""
    return session.scalar(select(func.count()).select_from(_of(user_id, state).subquery())) or 0


def count_unfinished(session: Session, user_id: int) -> int:
    """Return how many bundles of an account are not built yet. Only reads."""
    unfinished = BundleJob.state.in_((State.QUEUED, State.BUILDING))
    return session.scalar(select(func.count()).where(BundleJob.user_id == user_id, unfinished)) or 0


def due_job(session: Session, job_id: str | None = None) -> str | None:
    """Return the id of a bundle that is due and that nobody builds just now: the one asked for, or any. Only reads."""
    return session.scalar(select(BundleJob.id).where(*_due(database_time(session), job_id)).limit(1))


def claim_job(session: Session, owner: str, lease: dt.timedelta, job_id: str | None = None) -> BundleJob | None:
    """Return a bundle that is due and that nobody builds just now, ours from now on: the one asked for, or the oldest.

    One whose builder was killed is due when its lease has run out.
    """
    now = database_time(session)
    oldest = select(BundleJob).where(*_due(now, job_id)).order_by(BundleJob.due_at, BundleJob.id).limit(1)
    found = session.scalars(oldest.with_for_update(skip_locked=True)).one_or_none()
    if found is not None:
        found.state, found.owner, found.leased_until = State.BUILDING, owner, now + lease
        found.attempts += 1
        found.updated_at = now
    return found


def set_values(session: Session, job_id: str, owner: str, values: Mapping[str, object]) -> bool:
    """Change a bundle that is ours; False if it is no longer."""
    ours = (BundleJob.id == job_id, BundleJob.owner == owner, BundleJob.state == State.BUILDING)
    changed = {**values, "updated_at": database_time(session)}
    statement = update(BundleJob).where(*ours).values(changed).returning(BundleJob.id)
    return session.scalars(statement).one_or_none() is not None


def ends_at(session: Session, life: dt.timedelta) -> dict[str, object]:
    """Return the values of a bundle that has come to its end now."""
    now = database_time(session)
    return {"finished_at": now, "expires_at": now + life, "due_at": None, "owner": None, "leased_until": None}


def overdue_jobs(session: Session, limit: int = 100) -> Sequence[BundleJob]:
    """Return bundles whose time is over, or that were deleted, and that nobody builds. Only reads."""
    now = database_time(session)
    free = or_(BundleJob.leased_until.is_(None), BundleJob.leased_until < now)
    over = or_(BundleJob.state == State.DELETED, BundleJob.expires_at < now)
    return session.scalars(select(BundleJob).where(over, free).order_by(BundleJob.id).limit(limit)).all()


def delete_job(session: Session, job_id: str) -> None:
    """Note that a bundle is to be removed, by its builder or by whoever tidies."""
    gone = {"state": State.DELETED, "due_at": None, "updated_at": database_time(session)}
    session.execute(update(BundleJob).where(BundleJob.id == job_id).values(gone))


def forget_job(session: Session, job_id: str) -> None:
    """Remove a bundle's row."""
    session.execute(delete(BundleJob).where(BundleJob.id == job_id))


def _due(now: dt.datetime, job_id: str | None) -> tuple[ColumnElement[bool], ...]:
    unfinished = BundleJob.state.in_((State.QUEUED, State.BUILDING))
    free = or_(BundleJob.leased_until.is_(None), BundleJob.leased_until < now)
    one = () if job_id is None else (BundleJob.id == job_id,)
    return unfinished, BundleJob.due_at <= now, free, *one


def _shown() -> "Select[BundleJob]":
    return select(BundleJob).where(BundleJob.state != State.DELETED)


def _of(user_id: int, state: State | None) -> "Select[BundleJob]":
    found = _shown().where(BundleJob.user_id == user_id)
    return found if state is None else found.where(BundleJob.state == state)
