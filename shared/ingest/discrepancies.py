"""How store and index may differ, and the merge that finds where they do. Pure.

Both sides come in byte order of their keys, so that memory does not grow with the archive.
"""

import datetime as dt
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from shared.index.failures import UNAVAILABLE, FailedObject
from shared.index.frames import IndexedObject
from shared.store.model import ObjectState

__all__ = ["Discrepancy", "DiscrepancyKind", "Entry", "Suspect", "compare", "entries_by_key", "judge"]


_by_key = attrgetter("key")


class DiscrepancyKind(StrEnum):
    """How store and index differ; docs/discrepancies.md says what each may mean."""

    UNINDEXED = "unindexed"
    PHANTOM = "phantom"
    STALE = "stale"
    DERIVED_MISSING = "derived-missing"
    DERIVED_ORPHAN = "derived-orphan"
    CHECKSUM = "checksum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """One difference: the object's key, or the common part of orphans' keys, and what an operator should know.

    ``loses_frame``: mending it removes a frame.
    """

    kind: DiscrepancyKind
    key: str
    detail: str = ""
    orphans: tuple[str, ...] = ()
    loses_frame: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index holds of one object: a frame, a failure, or a frame and trouble with a later object."""

    key: str
    frame: IndexedObject | None
    failure: FailedObject | None


@dataclass(frozen=True, slots=True)
class Suspect:
    """An object about which store and index seemed to differ: as it was listed, None where it was not."""

    key: str
    listed: ObjectState | None


def entries_by_key(frames: Iterable[IndexedObject], failures: Iterable[FailedObject]) -> Iterator[Entry]:
    """Bring frames and failures, each in the order of keys, together."""
    both: Iterator[IndexedObject | FailedObject] = heapq.merge(frames, failures, key=_by_key)
    for key, group in groupby(both, key=_by_key):
        frame, failure = None, None
        for found in group:
            if isinstance(found, IndexedObject):
                frame = found
            else:
                failure = found
        yield Entry(key, frame, failure)


def judge(stored: ObjectState | None, entry: Entry | None, now: dt.datetime, attempts: int) -> DiscrepancyKind | None:
    """Return how an object and what the index holds of it differ; None where they agree.

    What could not be settled and waits for its next attempt is left alone until then, and what was given up, after so
    many ``attempts``, until its object changes. An object whose attempt is due counts as stale, and so does one that a
    queue has given up earlier.
    """
    if stored is None:
        return DiscrepancyKind.PHANTOM if entry is not None else None
    if entry is None:
        return DiscrepancyKind.UNINDEXED
    failure = entry.failure
    if failure is not None and failure.retry_at is not None and failure.retry_at <= now:
        return DiscrepancyKind.STALE
    if failure is not None and failure.kind == UNAVAILABLE:
        waits = failure.retry_at is not None
        was_given_up = failure.attempts >= attempts and stored.last_modified <= failure.last_at
        return None if waits or was_given_up else DiscrepancyKind.STALE
    known = entry.frame or failure
    if known is not None and (known.etag, known.size) == (stored.etag, stored.size) and not _is_other(entry, stored):
        return None
    return DiscrepancyKind.STALE


def compare(
    stored: Iterable[ObjectState], entries: Iterable[Entry], now: dt.datetime, attempts: int
) -> Iterator[tuple[str, Suspect | None]]:
    """Merge both sides; yield each key with the suspect that it is, None where both sides agree."""
    known = iter(entries)
    entry = next(known, None)
    for object_ in stored:
        key = object_.key
        while entry is not None and entry.key < key:
            yield entry.key, Suspect(entry.key, None)
            entry = next(known, None)
        if entry is None or entry.key != key:
            yield key, Suspect(key, object_)
            continue
        yield key, None if judge(object_, entry, now, attempts) is None else Suspect(key, object_)
        entry = next(known, None)
    while entry is not None:
        yield entry.key, Suspect(entry.key, None)
        entry = next(known, None)


def _is_other(entry: Entry, stored: ObjectState) -> bool:
    """Tell whether equal bytes are another version by now. Listings tell no versions, but times, in whole seconds."""
    frame = entry.frame
    if frame is None or frame.version_id in (None, "null"):
        return False
    if stored.version_id is not None:
        return stored.version_id != frame.version_id
    return stored.last_modified.replace(microsecond=0) != frame.last_modified.replace(microsecond=0)
