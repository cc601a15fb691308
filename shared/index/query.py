"""Questions to the index; each takes a fixed number of statements, however many frames answer it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.counts import by_combination, count_frames
from shared.index.models import Combination, Frame, FrameLink
from shared.index.paging import page_ids
from shared.index.scope import scope_of
from shared.index.selection import NO_FILTER, FrameFilter, FrameQuery
from shared.index.shown import SHOWN, ShownFrame

__all__ = [
    "Facets",
    "FramePage",
    "FrameRow",
    "ShownRow",
    "aggregate",
    "get_frame",
    "list_frames",
    "naming_frames",
    "related_frames",
    "related_ids",
    "rows_of",
    "undated_beside",
]

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A frame, and the ids of the frames that its links name, ascending."""

    frame: Frame
    related: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """The same with what lists show of a frame."""

    frame: ShownFrame
    related: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FramePage:
    """How many frames a query finds, and those of the page that it asks for; ``next`` is the cursor behind them."""

    count: int
    rows: tuple[ShownRow, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Facets:
    """The values that occur among the frames that a filter leaves, sorted by code point."""

    imagetypes: tuple[str, ...]
    sites: tuple[str, ...]
    telescopes: tuple[str, ...]
    instruments: tuple[str, ...]
    filters: tuple[str, ...]
    binnings: tuple[str, ...]


def list_frames(session: Session, query: FrameQuery) -> FramePage:
    """Return a page of frames, and how many the filter leaves in all."""
    scope = scope_of(session, query.filter)
    count = count_frames(session, scope)
    if query.limit <= 0 or query.offset >= count:
        return FramePage(count, ())
    return FramePage(count, rows_of(session, page_ids(session, query, scope, count)))


def rows_of(session: Session, frame_ids: Sequence[int]) -> tuple[ShownRow, ...]:
    """Return the frames of these ids in their order, by two statements."""
    rows = session.execute(select(*SHOWN).where(among(Frame.id, frame_ids)))
    found = {row[0]: ShownFrame._make(row) for row in rows}
    related = related_ids(session, frame_ids)
    return tuple(ShownRow(found[frame_id], related[frame_id]) for frame_id in frame_ids if frame_id in found)


def get_frame(session: Session, frame_id: int) -> FrameRow | None:
    """Return one frame, with or without date."""
    if not 0 <= frame_id <= _LARGEST:
        return None
    frame = session.get(Frame, frame_id, populate_existing=True)
    return FrameRow(frame, related_ids(session, [frame_id])[frame_id]) if frame is not None else None


def related_frames(session: Session, frame_id: int) -> tuple[ShownRow, ...]:
    """Return the frames that a frame's links name, by ascending id, dated or not."""
    targets = (
        select(Frame.id)
        .join(FrameLink, FrameLink.target == Frame.basename)
        .where(FrameLink.frame_id == frame_id, Frame.id != frame_id)
    )
    rows = session.execute(select(*SHOWN).where(Frame.id.in_(targets)).order_by(Frame.id))
    frames = [ShownFrame._make(row) for row in rows]
    related = related_ids(session, [frame.id for frame in frames])
    return tuple(ShownRow(frame, related[frame.id]) for frame in frames)


def naming_frames(session: Session, basename: str, limit: int) -> tuple[ShownRow, ...]:
    """Return frames whose links name this basename, the newest first: what was made of a frame, or with it."""
    named = select(FrameLink.frame_id).where(FrameLink.target == basename).distinct()
    newest = named.order_by(FrameLink.frame_id.desc()).limit(limit)
    return rows_of(session, session.scalars(newest).all())


def undated_beside(session: Session, frame_filter: FrameFilter) -> int | None:
    """Return how many frames a filter leaves out for want of a date alone; None where only rows could tell."""
    times = (frame_filter.night, frame_filter.start, frame_filter.end)
    if frame_filter.undated or any(time is not None for time in times):
        return 0
    scope = scope_of(session, replace(frame_filter, undated=True))
    if not scope.is_countable:
        return None
    return count_frames(session, scope) - count_frames(session, replace(scope, wanted=frame_filter))


def related_ids(session: Session, frame_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Return for each frame the ids of the frames whose basenames its links name, ascending, itself left out.

    Resolved when asked, so that it does not matter which of two frames came first.
    """
    statement = (
        select(FrameLink.frame_id, Frame.id)
        .join(Frame, Frame.basename == FrameLink.target)
        .where(among(FrameLink.frame_id, frame_ids), Frame.id != FrameLink.frame_id)
        .distinct()
    )
    found: dict[int, list[int]] = {frame_id: [] for frame_id in frame_ids}
    for frame_id, target_id in session.execute(statement):
        found[frame_id].append(target_id)
    return {frame_id: tuple(sorted(targets)) for frame_id, targets in found.items()}


def aggregate(session: Session, frame_filter: FrameFilter) -> Facets:
    """Return the values that occur among the frames that a filter leaves.

    A frame without filter keyword shows as "None" among the filters; what else is missing is left out.
    """
    columns = (
        Combination.image_type,
        Combination.site,
        Combination.telescope,
        Combination.instrument,
        Combination.filter_name,
        Combination.binning,
    )
    combinations = by_combination(session, scope_of(session, frame_filter))
    values: tuple[set[str], ...] = tuple(set() for _ in columns)
    for row in session.execute(select(*columns).where(among(Combination.id, combinations))):
        for found, column, value in zip(values, columns, row, strict=True):
            if value:
                found.add(value)
            elif column is Combination.filter_name:
                found.add(NO_FILTER)
    return Facets(*(tuple(sorted(found)) for found in values))
