"""From the frames of the index to a plan that the store can keep."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from shared.bundle.inside import (
    MANIFEST,
    README,
    RESERVED,
    LeftOut,
    Wish,
    manifest_rows,
    render_manifest,
    render_readme,
)
from shared.bundle.names import unique_names
from shared.bundle.plan import Entry, Plan
from shared.errors import StoreUnavailableError
from shared.index.bundles import BundleFrame
from shared.store.model import ObjectState

__all__ = ["Assembly", "Window", "assemble", "bundle_name", "named_frames", "plan_bundle", "state_of"]

_ROUNDS = 4
_CHANGED = "its object is not (any more) what the index says"
_DELETED = "it was deleted meanwhile"

Window = tuple[int, int]
"""Start and stop (exclusive) of the bytes of a zip that are asked for."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """A zip whose frames were there a moment ago.

    ``left_out`` are the frames that were asked for and are not in it. ``asked`` is the part that is asked for, if it is
    not all of it. ``frames`` are those in it.
    """

    plan: Plan
    asked: Window | None
    left_out: tuple[LeftOut, ...]
    frames: tuple[BundleFrame, ...]

    @property
    def window(self) -> Window:
        """What to send."""
        return self.asked or (0, self.plan.length)


def assemble(
    frames: Sequence[BundleFrame],
    again: Callable[[], Sequence[BundleFrame]],
    choose: Callable[[Plan, bool], Window | None],
    missing: Callable[[Iterable[ObjectState]], Iterable[ObjectState]],
    *,
    wish: Wish,
    left_out: Sequence[LeftOut] = (),
) -> Assembly:
    """Plan the zip of ``frames``, and plan anew while objects of it turn out to be others or gone.

    Parameters
    ----------
    again
        Asks the index for the frames once more: those that changed may have a new row by now.
    choose
        Returns the part of a plan that is asked for, None for all. It is told whether the plan had to be changed: who
        has a beginning and does not say of which zip, has that of another one.
    missing
        Returns those objects that are not what the index says.
    left_out
        What is known beforehand not to be in it.

    Raises
    ------
    StoreUnavailableError
        Frames keep changing.
    """
    first = frames
    stale: set[ObjectState] = set()
    for _ in range(_ROUNDS):
        kept = tuple(frame for frame in frames if state_of(frame) not in stale)
        lacking = (*left_out, *_lacking(first, frames, kept))
        plan = plan_bundle(kept, wish, lacking)
        assembly = Assembly(plan, choose(plan, bool(stale)), lacking, kept)
        found = set(missing(plan.states(*assembly.window)))
        if not found:
            return assembly
        stale |= found
        frames = again()
    raise StoreUnavailableError("frames of a bundle keep changing")


def plan_bundle(frames: Sequence[BundleFrame], wish: Wish, left_out: Sequence[LeftOut] = ()) -> Plan:
    """Plan a zip of frames in one folder, with a README and a manifest before them; of nothing it is empty."""
    return Plan(_entries(frames, wish, left_out) if frames or left_out else ())


def named_frames(frames: Iterable[BundleFrame]) -> Iterator[tuple[str, BundleFrame]]:
    """Yield each frame with its name in a bundle, which no other file there has."""
    known = list(frames)
    names = unique_names([*RESERVED, *(frame.filename for frame in known)])
    yield from zip(islice(names, len(RESERVED), None), known, strict=True)


def bundle_name(day: dt.date) -> str:
    """Return the name of a zip and of the folder in it."""
    return f"pyobsdata-{day:%Y%m%d}"


def state_of(frame: BundleFrame) -> ObjectState:
    """Return the object that a frame's row speaks of."""
    return ObjectState(
        bucket=frame.bucket,
        key=frame.key,
        etag=frame.etag,
        size=frame.size,
        last_modified=frame.last_modified,
        version_id=frame.version_id,
    )


def _entries(frames: Sequence[BundleFrame], wish: Wish, left_out: Sequence[LeftOut]) -> Iterator[Entry]:
    folder = bundle_name(wish.day)
    named = list(named_frames(frames))
    written = dt.datetime.combine(wish.day, dt.time())
    readme = render_readme(wish, len(named), sum(frame.size for frame in frames), left_out)
    yield Entry.made(f"{folder}/{README}", readme, written)
    yield Entry.made(f"{folder}/{MANIFEST}", render_manifest(manifest_rows(named)), written)
    for name, frame in named:
        yield Entry(f"{folder}/{name}", frame.crc32, frame.date_obs or frame.last_modified, state_of(frame))


def _lacking(
    first: Iterable[BundleFrame], found: Iterable[BundleFrame], kept: Iterable[BundleFrame]
) -> Iterator[LeftOut]:
    """Yield those of the first frames that are not kept, and why."""
    in_index, in_zip = {frame.id for frame in found}, {frame.id for frame in kept}
    for frame in dict.fromkeys(first):
        if frame.id not in in_zip:
            yield LeftOut(frame.id, frame.filename, _CHANGED if frame.id in in_index else _DELETED)
