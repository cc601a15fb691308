"""From the frames of the index to a plan that the store can keep."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.bundle.names import unique_names
from shared.bundle.plan import Entry, Plan
from shared.errors import StoreUnavailableError
from shared.index.bundles import BundleFrame
from shared.store.model import ObjectState

__all__ = ["Assembly", "Window", "assemble", "bundle_name", "entries_of"]

_ROUNDS = 4

Window = tuple[int, int]
"""Start and stop (exclusive) of the bytes of a zip that are asked for."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """A zip whose frames were there a moment ago.

    ``left_out`` are the ids of frames whose objects are no longer those of the index. ``asked`` is the part that is
    asked for, if it is not all of it.
    """

    plan: Plan
    asked: Window | None
    left_out: tuple[int, ...]

    @property
    def window(self) -> Window:
        """What to send."""
        return self.asked or (0, self.plan.length)


def assemble(
    frames: Sequence[BundleFrame],
    again: Callable[[], Sequence[BundleFrame]],
    choose: Callable[[Plan], Window | None],
    missing: Callable[[Iterable[ObjectState]], Iterable[ObjectState]],
    *,
    folder: str,
) -> Assembly:
    """Plan the zip of ``frames``, and plan anew while objects of it turn out to be others or gone.

    Parameters
    ----------
    again
        Asks the index for the frames once more: those that changed may have a new row by now.
    choose
        Returns the part of a plan that is asked for, None for all. Of a plan that had to be changed it is all: whoever
        has a beginning has that of another zip.
    missing
        Returns those objects that are not what the index says.

    Raises
    ------
    StoreUnavailableError
        Frames keep changing.
    """
    stale: set[ObjectState] = set()
    for _ in range(_ROUNDS):
        plan = Plan(entries_of((frame for frame in frames if _state(frame) not in stale), folder))
        assembly = Assembly(
            plan,
            None if stale else choose(plan),
            tuple(frame.id for frame in frames if _state(frame) in stale),
        )
        found = set(missing(plan.states(*assembly.window)))
        if not found:
            return assembly
        stale |= found
        frames = again()
    raise StoreUnavailableError("frames of a bundle keep changing")


def entries_of(frames: Iterable[BundleFrame], folder: str) -> Iterator[Entry]:
    """Yield the entries of a zip: the frames in one folder, each under a name of its own."""
    known = list(frames)
    for frame, name in zip(known, unique_names(frame.filename for frame in known), strict=True):
        yield Entry(f"{folder}/{name}", frame.crc32, frame.date_obs or frame.last_modified, _state(frame))


def bundle_name(day: dt.date) -> str:
    """Return the name of a zip and of the folder in it."""
    return f"pyobsdata-{day:%Y%m%d}"


def _state(frame: BundleFrame) -> ObjectState:
    return ObjectState(
        bucket=frame.bucket,
        key=frame.key,
        etag=frame.etag,
        size=frame.size,
        last_modified=frame.last_modified,
        version_id=frame.version_id,
    )
