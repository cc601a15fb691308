"""Frames that a sweep found without their objects: counted first, so that a store that came up empty costs none.

A sweep holds them back as windows of keys, which are ranges of the part `MISSING`. Those wait until everything else
is compared and all missing frames are counted; what became of them is in the counts of the sweep.
"""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.index.models import Sweep, SweepRange

__all__ = [
    "INNER",
    "KNOWN",
    "MISSING",
    "WITHHELD",
    "Missing",
    "first_counts",
    "hold",
    "known_frames",
    "missing_of",
    "withheld",
]

MISSING = "missing"
"""The part of ranges that hold missing frames, and their number there."""
KNOWN = "known"
"""How many frames the index held when the sweep began or, where it withholds some, when it began to."""
WITHHELD = "withheld"
"""How many missing frames were not removed, since they were too many."""
BEFORE = "withheld-before"
INNER = frozenset({MISSING, KNOWN, BEFORE})
"""Counts that a sweep keeps for itself."""


@dataclass(frozen=True, slots=True)
class Missing:
    """How many frames have no object, of so many that the index knew."""

    frames: int
    known: int


def first_counts(session: Session, bucket: str, prefix: str, known: int) -> dict[str, int]:
    """Return what a sweep begins with, where the index holds so many frames."""
    before = withheld(session, bucket, prefix)
    inner = {KNOWN: known_frames(session, bucket, prefix, known)}
    return inner if before is None else inner | {BEFORE: before.frames}


def known_frames(session: Session, bucket: str, prefix: str, frames: int) -> int:
    """Return how many frames the index knows, where it holds so many. Only reads.

    What comes into the index while frames are withheld, of a wrong bucket perhaps, makes none of them less missing:
    the number stays what it was.
    """
    before = withheld(session, bucket, prefix)
    return frames if before is None else min(frames, before.known)


def hold(session: Session, found: SweepRange, position: str, frames: int) -> None:
    """Note so many missing frames in a range between where it is done and ``position``: apart, or as part of the last.

    Needs a transaction that writes.
    """
    last = session.execute(
        select(SweepRange.id, SweepRange.counts).where(
            SweepRange.sweep_id == found.sweep_id,
            SweepRange.part == MISSING,
            SweepRange.after >= found.after,
            SweepRange.until == found.position,
        )
    ).one_or_none()
    if last is not None:
        counts = {MISSING: last.counts[MISSING] + frames}
        session.execute(update(SweepRange).where(SweepRange.id == last.id).values(until=position, counts=counts))
        return
    session.add(
        SweepRange(
            sweep_id=found.sweep_id,
            part=MISSING,
            after=found.position,
            until=position,
            position=found.position,
            counts={MISSING: frames},
        )
    )


def missing_of(session: Session, sweep_id: int) -> Missing:
    """Return how many frames a sweep has found missing by now, and of how many. Only reads."""
    counts = _counts(session, sweep_id)
    return Missing(counts[MISSING], counts[KNOWN])


def withheld(session: Session, bucket: str, prefix: str = "") -> Missing | None:
    """Return the frames that the last sweep did not dare to remove; None where there are none. Only reads.

    As long as a sweep goes on, that is what the one before it said.
    """
    chosen = select(Sweep.id, Sweep.ended_at).where(Sweep.bucket == bucket, Sweep.prefix == prefix)
    last = session.execute(chosen.order_by(Sweep.begun_at.desc()).limit(1)).one_or_none()
    if last is None:
        return None
    counts = _counts(session, last.id)
    frames = counts[WITHHELD if last.ended_at is not None else BEFORE]
    return Missing(frames, counts[KNOWN]) if frames else None


def _counts(session: Session, sweep_id: int) -> Counter[str]:
    total: Counter[str] = Counter()
    for counts in session.scalars(select(SweepRange.counts).where(SweepRange.sweep_id == sweep_id)):
        total.update(counts)
    return total
