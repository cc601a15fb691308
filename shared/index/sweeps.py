"""Sweeps under way: joined, cut into ranges, claimed under a lease, gone on with, ended.

Any number of processes share a sweep. Leases are by the database's clock. Every function needs a transaction that
writes (`shared.database.write`), where it is not said otherwise.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shared.database import database_time, utc_now
from shared.index.missing import INNER, MISSING, first_counts, hold
from shared.index.models import Sweep, SweepRange

__all__ = [
    "ClaimedRange",
    "PlannedRange",
    "begin_sweep",
    "claim_range",
    "has_ended",
    "is_wanted",
    "release_range",
    "renew_lease",
    "save_progress",
    "sweep_counts",
    "sweep_under_way",
]

_NEVER = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - columns hold naive UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRange:
    """A part of a sweep: what is compared, from ``after`` (exclusive) to ``until`` (inclusive, None for no end)."""

    part: str
    after: str
    until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRange:
    """A range that is ours to do from ``position`` on, as long as the lease is renewed."""

    id: int
    sweep_id: int
    part: str
    position: str
    until: str | None
    owner: str
    counts: Mapping[str, int]


def sweep_under_way(session: Session, bucket: str, prefix: str, scope: str) -> int | None:
    """Return the id of the sweep that goes on just now. Only reads."""
    return session.scalar(_chosen(bucket, prefix, scope).with_only_columns(Sweep.id).where(Sweep.ended_at.is_(None)))


def is_wanted(session: Session, bucket: str, prefix: str, scope: str, since: dt.datetime) -> bool:
    """Tell whether no sweep has begun since then. Only reads."""
    begun = session.scalar(_chosen(bucket, prefix, scope).with_only_columns(Sweep.begun_at))
    return begun is None or begun < since


def begin_sweep(
    session: Session,
    bucket: str,
    prefix: str,
    scope: str,
    *,
    since: dt.datetime,
    ranges: Sequence[PlannedRange],
    known: int = 0,
) -> int | None:
    """Begin a sweep and return its id; or that of the one that goes on; or None where one has begun since then.

    ``known`` is how many frames the index holds there.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    new = {"bucket": bucket, "prefix": prefix, "scope": scope, "begun_at": _NEVER, "ended_at": _NEVER}
    session.execute(insert(Sweep).values(**new).on_conflict_do_nothing())
    sweep = session.scalars(_chosen(bucket, prefix, scope).with_for_update()).one()
    if sweep.ended_at is None:
        return sweep.id
    if sweep.begun_at >= since:
        return None
    counts = first_counts(session, bucket, prefix, known)
    session.execute(delete(SweepRange).where(SweepRange.sweep_id == sweep.id))
    sweep.begun_at, sweep.ended_at = database_time(session), None
    session.add_all(
        SweepRange(
            sweep_id=sweep.id,
            part=planned.part,
            after=planned.after,
            until=planned.until,
            position=planned.after,
            counts={} if number else counts,
        )
        for number, planned in enumerate(ranges)
    )
    return sweep.id


def claim_range(session: Session, sweep_id: int, owner: str, lease: dt.timedelta) -> ClaimedRange | None:
    """Return a range that nobody does just now, ours from now on; None where there is none.

    Missing frames come last, when all else is done.
    """
    now = database_time(session)
    free = or_(SweepRange.leased_until.is_(None), SweepRange.leased_until < now)
    left = SweepRange.sweep_id == sweep_id, SweepRange.done_at.is_(None)
    others = select(SweepRange.id).where(*left, SweepRange.part != MISSING).correlate(None)
    statement = select(SweepRange).where(*left, free, or_(SweepRange.part != MISSING, ~others.exists()))
    found = session.scalars(statement.order_by(SweepRange.id).limit(1).with_for_update(skip_locked=True)).one_or_none()
    if found is None:
        return None
    found.owner, found.leased_until = owner, now + lease
    return ClaimedRange(
        id=found.id,
        sweep_id=sweep_id,
        part=found.part,
        position=found.position,
        until=found.until,
        owner=owner,
        counts=found.counts,
    )


def renew_lease(session: Session, claimed: ClaimedRange, lease: dt.timedelta) -> bool:
    """Keep a range for longer; False if it is no longer ours."""
    return _change(session, claimed, leased_until=database_time(session) + lease)


def release_range(session: Session, claimed: ClaimedRange) -> None:
    """Give a range back that is not done, for others to go on with at once."""
    _change(session, claimed, owner=None, leased_until=None)


def save_progress(
    session: Session,
    claimed: ClaimedRange,
    counts: Mapping[str, int],
    *,
    position: str | None,
    is_done: bool = False,
    missing: int = 0,
) -> bool:
    """Add to the counts of a range, and write down how far it is done; False if it is no longer ours.

    With its last range a sweep ends. A position of None leaves it where it was. So many frames on the way to the
    position are ``missing``, and held back.
    """
    session.scalars(select(Sweep.id).where(Sweep.id == claimed.sweep_id).with_for_update()).one_or_none()
    known = session.scalars(select(SweepRange).where(*_ours(claimed))).one_or_none()
    if known is None:
        return False
    now = utc_now()
    values: dict[str, object] = {"counts": dict(Counter(known.counts) + Counter(counts))}
    if missing and position is not None:
        hold(session, known, position, missing)
    if position is not None:
        values["position"] = position
    if is_done:
        values["done_at"] = now
    session.execute(update(SweepRange).where(SweepRange.id == claimed.id).values(**values))
    left = select(func.count()).where(SweepRange.sweep_id == claimed.sweep_id, SweepRange.done_at.is_(None))
    if is_done and not session.scalar(left):
        session.execute(update(Sweep).where(Sweep.id == claimed.sweep_id).values(ended_at=now))
    return True


def has_ended(session: Session, sweep_id: int) -> bool:
    """Tell whether all ranges of a sweep are done. Only reads."""
    return session.scalar(select(Sweep.ended_at).where(Sweep.id == sweep_id)) is not None


def sweep_counts(session: Session, sweep_id: int) -> dict[str, int]:
    """Return the counts of all ranges added up, without those that a sweep keeps for itself. Only reads."""
    total: Counter[str] = Counter()
    for counts in session.scalars(select(SweepRange.counts).where(SweepRange.sweep_id == sweep_id)):
        total.update({name: count for name, count in counts.items() if name not in INNER})
    return dict(total)


def _chosen(bucket: str, prefix: str, scope: str) -> Select[Sweep]:
    return select(Sweep).where(Sweep.bucket == bucket, Sweep.prefix == prefix, Sweep.scope == scope)


def _ours(claimed: ClaimedRange) -> tuple[ColumnElement[bool], ...]:
    return SweepRange.id == claimed.id, SweepRange.owner == claimed.owner, SweepRange.done_at.is_(None)


def _change(session: Session, claimed: ClaimedRange, **values: object) -> bool:
    statement = update(SweepRange).where(*_ours(claimed)).values(**values).returning(SweepRange.id)
    return session.scalars(statement).one_or_none() is not None
