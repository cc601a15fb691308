"""The frames of a bundle: no more of each than a zip needs."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.counts import count_frames
from shared.index.models import Frame
from shared.index.paging import page_ids
from shared.index.query import related_ids
from shared.index.scope import scope_of
from shared.index.selection import FrameQuery

__all__ = ["BundleFrame", "bundle_of_ids", "bundle_of_query", "packed_ids", "with_related"]

_IN_TILES = "compressed-image"
_ROWS_AT_ONCE = 1000
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class BundleFrame:
    """What a bundle needs to know of a frame, and what its manifest tells; ``size`` in bytes, times naive UTC."""

    id: int
    filename: str
    bucket: str
    key: str
    etag: str
    version_id: str | None
    size: int
    crc32: int
    date_obs: dt.datetime | None
    last_modified: dt.datetime
    sha256: str = ""
    object_name: str | None = None
    filter_name: str | None = None
    exposure_time: float | None = None
    image_type: str | None = None
    site: str | None = None
    telescope: str | None = None
    instrument: str | None = None
    reduction_level: int = 0


_COLUMNS = tuple(getattr(Frame, field.name) for field in fields(BundleFrame))


def bundle_of_query(session: Session, query: FrameQuery) -> Iterator[BundleFrame]:
    """Yield the frames that a query leaves, in its order, a batch of rows in memory at a time."""
    scope = scope_of(session, query.filter)
    yield from bundle_of_ids(session, page_ids(session, query, scope, count_frames(session, scope)))


def bundle_of_ids(session: Session, frame_ids: Sequence[int]) -> Iterator[BundleFrame]:
    """Yield the frames of these ids, with or without date, in the order of the ids.

    An id that is given twice yields its frame twice, one that no frame has yields nothing.
    """
    for start in range(0, len(frame_ids), _ROWS_AT_ONCE):
        some = frame_ids[start : start + _ROWS_AT_ONCE]
        known = [frame_id for frame_id in some if 0 <= frame_id <= _LARGEST]
        found = {row.id: row for row in session.execute(select(*_COLUMNS).where(among(Frame.id, known)))}
        for frame_id in some:
            if frame_id in found:
                yield BundleFrame(*found[frame_id])


def with_related(session: Session, frames: Iterable[BundleFrame]) -> Iterator[BundleFrame]:
    """Yield the frames, then those that their headers name (calibrations, raw frames), each once, by ascending id."""
    known = list(frames)
    frame_ids = [frame.id for frame in known]
    more: set[int] = set()
    for start in range(0, len(frame_ids), _ROWS_AT_ONCE):
        more.update(*related_ids(session, frame_ids[start : start + _ROWS_AT_ONCE]).values())
    yield from known
    yield from bundle_of_ids(session, sorted(more.difference(frame_ids)))


def packed_ids(session: Session, frame_ids: Sequence[int]) -> set[int]:
    """Return those of the frames that have an image in tiles."""
    found: set[int] = set()
    for start in range(0, len(frame_ids), _ROWS_AT_ONCE):
        some = frame_ids[start : start + _ROWS_AT_ONCE]
        rows = session.execute(select(Frame.id, Frame.hdu_kinds).where(among(Frame.id, some)))
        found |= {frame_id for frame_id, kinds in rows if _IN_TILES in kinds}
    return found
