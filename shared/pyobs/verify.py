"""Whether frames that were brought here answer as they did in the pyobs-archive."""

import datetime as dt
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.index.arrivals import find_arrivals
from shared.index.models import Frame
from shared.index.query import related_ids
from shared.index.reservations import settle_reserved
from shared.pyobs.model import PyobsFrame

__all__ = ["Finding", "KnownFrame", "Verdict", "differences", "verify"]

_TOLERANCE = dt.timedelta(milliseconds=1)


class Verdict(StrEnum):
    """What became of a frame."""

    KEPT = "kept"
    DIFFERENT = "different"
    FAILED = "not indexed"
    WAITING = "not indexed yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a comparison of one frame brought; ``reason`` says what is wrong."""

    frame: PyobsFrame
    key: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KnownFrame:
    """What the index has of a frame that must be as it was."""

    id: int
    basename: str
    date_obs: dt.datetime | None


def verify(
    sessions: sessionmaker[Session], bucket: str, frames: Mapping[str, PyobsFrame], *, left_out: Container[int] = ()
) -> Iterator[Finding]:
    """Compare frames (by key) with what the index knows of them: id, basename, DATE_OBS, ids of related frames.

    Frames whose ids are ``left_out`` are not missed among the related ones. A frame that was indexed under another
    id than the one that is reserved for it gets that.
    """
    with read(sessions) as session:
        known = _known(session, bucket, frames)
    wrong = [key for key, found in known.items() if found.id != frames[key].id]
    if wrong:
        with write(sessions) as session:
            settle_reserved(session, bucket, wrong)
    with read(sessions) as session:
        known = _known(session, bucket, frames)
        related = related_ids(session, [found.id for found in known.values()])
        arrivals = find_arrivals(session, bucket, [key for key in frames if key not in known])
    for key, frame in frames.items():
        if key in known:
            found = differences(frame, known[key], related[known[key].id], left_out)
            verdict = Verdict.DIFFERENT if found else Verdict.KEPT
            yield Finding(frame=frame, key=key, verdict=verdict, reason="; ".join(found))
        elif key in arrivals:
            yield Finding(frame=frame, key=key, verdict=Verdict.FAILED, reason=arrivals[key].reason or "")
        else:
            yield Finding(frame=frame, key=key, verdict=Verdict.WAITING)


def differences(
    frame: PyobsFrame, known: KnownFrame, related: Sequence[int], left_out: Container[int] = ()
) -> list[str]:
    """Return in words what is not as it was. Links that the pyobs-archive did not have are none."""
    told = []
    if known.id != frame.id:
        told.append(f"it has the id {known.id}")
    if known.basename != frame.basename:
        told.append(f"its basename is {known.basename!r}")
    if known.date_obs is None or abs(known.date_obs - frame.date_obs) > _TOLERANCE:
        told.append(f"its DATE_OBS is {known.date_obs} and was {frame.date_obs}")
    expected = {target for target, _ in frame.related if target != frame.id and target not in left_out}
    if lost := sorted(expected.difference(related)):
        told.append(f"no links to {', '.join(map(str, lost))}")
    return told


def _known(session: Session, bucket: str, keys: Iterable[str]) -> dict[str, KnownFrame]:
    columns = (Frame.key, Frame.id, Frame.basename, Frame.date_obs)
    rows = session.execute(select(*columns).where(Frame.bucket == bucket, Frame.key.in_(list(keys))))
    return {key: KnownFrame(frame_id, basename, date_obs) for key, frame_id, basename, date_obs in rows}
