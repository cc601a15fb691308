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

    ``left_out`` are the ids of frames whose objects are no longer those of the index. ``window`` is what to send.
    """

    plan: Plan
    window: Window
    left_out: tuple[int, ...]


def assemble(
    frames: Sequence[BundleFrame],
    again: Callable[[], Sequence[BundleFrame]],
    choose: Callable[[Plan], Window],
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
        Returns the bytes of a plan that are asked for. They are not asked for of a plan that had to be changed: whoever
        has its beginning has that of another zip. That one is sent whole.
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
        window = choose(plan) if not stale else (0, plan.length)
        found = set(missing(plan.states(*window)))
        if not found:
            return Assembly(plan, window, tuple(frame.id for frame in frames if _state(frame) in stale))
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
