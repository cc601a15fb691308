"""Finds where store and index differ: the one way of `fitsvault check`, of the sweep and of the scan.

Everything comes in batches, in order, so that whoever mends can write down how far he is. All methods raise
StoreError and database errors: then nothing is said about the rest.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import takewhile

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, utc_now
from shared.errors import ObjectGoneError, StoreError, StoreUnavailableError
from shared.index.failures import find_failed, walk_failures
from shared.index.frames import find_objects, walk_objects
from shared.index.holdings import DerivedOwner, find_owners, walk_owners
from shared.ingest.derived import (
    DERIVED_PREFIX,
    REQUIRED,
    DerivedSet,
    Missing,
    Orphan,
    compare_derived,
    derived_bound,
    derived_folder,
    derived_sets,
)
from shared.ingest.discrepancies import Discrepancy, DiscrepancyKind, Entry, Suspect, compare, entries_by_key, judge
from shared.ingest.second_look import Batch, look_twice
from shared.parallel import in_parallel
from shared.settings import Settings
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["PATIENCE", "Finder"]

PATIENCE = 1.0
"""Seconds between the two looks."""

_AHEAD = dt.timedelta(minutes=5)
"""How far clocks of a store may differ. What is from a later time yet was written before a clock was put right."""

_AT_ONCE = 8
_Compared = Iterator[tuple[str, Missing | Orphan | None]]


class Finder:
    """Compares store and index in constant memory.

    Parameters
    ----------
    patience
        Seconds that an event has to settle what was just seen to differ.
    takes_new
        Report objects that are newer than the comparison, too. Otherwise they are left to their events.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sessions: sessionmaker[Session],
        *,
        patience: float = PATIENCE,
        takes_new: bool = False,
    ) -> None:
        self._bucket = settings.bucket
        self._derived = settings.derived_bucket
        self._grace = dt.timedelta(seconds=settings.orphan_seconds)
        self._attempts = settings.retry_attempts
        self._store = store
        self._sessions = sessions
        self._patience = patience
        self._takes_new = takes_new

    def objects(self, prefix: str = "", *, after: str = "", until: str | None = None) -> Iterator[Batch]:
        """Yield how bucket and index differ in keys behind ``after`` and up to ``until``; positions are keys."""
        begin = self._store.now(self._bucket)
        stored = (
            found
            for found in self._store.walk(self._bucket, prefix=prefix, after=after, until=until)
            if not (found.size == 0 and found.key.endswith("/"))
        )
        compared = compare(stored, self._entries(prefix, after, until), utc_now(), self._attempts)
        return look_twice(compared, partial(self._objects_again, begin), self._patience)

    def derived(self, *, after: str = "", until: str | None = None) -> Iterator[Batch]:
        """Yield frames without derived objects, and derived objects without a frame; positions are digests.

        An orphan younger than ``FITSVAULT_ORPHAN_SECONDS`` may be of a frame that is being ingested just now.
        """
        begin = self._store.now(self._derived)
        until_key = derived_bound(until) if until is not None else None
        listed = self._store.walk_as_listed(self._derived, prefix=DERIVED_PREFIX, after=derived_bound(after))
        stored = derived_sets(_up_to(until_key, listed))
        owners = walk_owners(self._sessions, after=after)
        known = owners if until is None else takewhile(lambda owner: owner.digest <= until, owners)
        both = compare_derived(stored, known)
        compared: _Compared = ((digest, self._of_ours(found)) for digest, found in both)
        return look_twice(compared, partial(self._derived_again, begin), self._patience)

    def derived_of(self, prefix: str, *, after: str = "", until: str | None = None) -> Iterator[Batch]:
        """Yield frames without derived objects, with keys that begin with ``prefix``; positions are keys.

        Costs a request for each frame, where `derived` costs a few for each thousand frames of the whole archive.
        """
        begin = self._store.now(self._derived)
        frames = walk_objects(self._sessions, self._bucket, prefix=prefix, after=after)
        chosen = frames if until is None else takewhile(lambda frame: frame.key <= until, frames)
        owners = (DerivedOwner(frame.digest, self._bucket, frame.key) for frame in chosen)
        found = in_parallel(self._lacking, owners, _AT_ONCE)
        compared: _Compared = ((owner.key, missing) for owner, missing in found)
        return look_twice(compared, partial(self._derived_again, begin), self._patience)

    def _entries(self, prefix: str, after: str, until: str | None) -> Iterator[Entry]:
        frames = walk_objects(self._sessions, self._bucket, prefix=prefix, after=after)
        failures = walk_failures(self._sessions, self._bucket, prefix=prefix, after=after)
        entries = entries_by_key(frames, failures)
        return entries if until is None else takewhile(lambda entry: entry.key <= until, entries)

    def _objects_again(self, begin: dt.datetime, suspects: Sequence[Suspect]) -> Iterator[Discrepancy]:
        """Yield what differs still: the object did not change while the index was asked about it."""
        entries = self._known(suspects)
        doubtful = [
            suspect
            for suspect in suspects
            if suspect.listed is None or self._judge(suspect.listed, entries.get(suspect.key)) is not None
        ]
        seen = list(self._looked_at(doubtful))
        entries = self._known(doubtful)
        kinds = {suspect.key: self._judge(stored, entries.get(suspect.key)) for suspect, stored in seen}
        before = {suspect.key: stored for suspect, stored in seen}
        end = self._store.now(self._bucket) + _AHEAD if any(kinds.values()) else begin
        for suspect, stored in self._looked_at([suspect for suspect in doubtful if kinds[suspect.key] is not None]):
            kind = kinds[suspect.key]
            is_new = stored is not None and not self._takes_new and _is_between(begin, stored, end)
            if kind is not None and stored == before[suspect.key] and not is_new:
                entry = entries.get(suspect.key)
                loses_frame = stored is None and entry is not None and entry.frame is not None
                yield Discrepancy(kind=kind, key=suspect.key, loses_frame=loses_frame)

    def _judge(self, stored: ObjectState | None, entry: Entry | None) -> DiscrepancyKind | None:
        return judge(stored, entry, utc_now(), self._attempts)

    def _known(self, suspects: Sequence[Suspect]) -> dict[str, Entry]:
        keys = [suspect.key for suspect in suspects]
        with read(self._sessions) as session:
            frames = find_objects(session, self._bucket, keys)
            failures = find_failed(session, self._bucket, keys)
        return {key: Entry(key, frames.get(key), failures.get(key)) for key in frames.keys() | failures.keys()}

    def _looked_at(self, suspects: Sequence[Suspect]) -> Iterator[tuple[Suspect, ObjectState | None]]:
        return in_parallel(self._look, suspects, _AT_ONCE)

    def _look(self, suspect: Suspect) -> ObjectState | None:
        """Look at the object; one that the store does not let us look at is as it is listed, and mending tells why."""
        try:
            return self._store.head(self._bucket, suspect.key)
        except ObjectGoneError:
            return None
        except StoreUnavailableError:
            raise
        except StoreError:
            return self._store.listed(self._bucket, suspect.key)

    def _of_ours(self, found: Missing | Orphan | None) -> Missing | Orphan | None:
        return None if isinstance(found, Missing) and found.owner.bucket != self._bucket else found

    def _derived_again(self, begin: dt.datetime, suspects: Sequence[Missing | Orphan]) -> Iterator[Discrepancy]:
        sets = [there for _, there in in_parallel(lambda suspect: self._set_of(suspect.digest), suspects, _AT_ONCE)]
        with read(self._sessions) as session:
            owners = find_owners(session, [suspect.digest for suspect in suspects])
        for suspect, there in zip(suspects, sets, strict=True):
            owner = owners.get(suspect.digest)
            names = there.names if there is not None else frozenset()
            if owner is not None and (lacking := REQUIRED - names):
                detail = ", ".join(sorted(lacking))
                yield Discrepancy(kind=DiscrepancyKind.DERIVED_MISSING, key=owner.key, detail=detail)
            elif owner is None and there is not None and there.last_modified <= begin - self._grace:
                yield Discrepancy(
                    kind=DiscrepancyKind.DERIVED_ORPHAN,
                    key=derived_folder(there.digest),
                    detail=", ".join(sorted(names)),
                    orphans=there.keys,
                )

    def _lacking(self, owner: DerivedOwner) -> Missing | None:
        there = self._set_of(owner.digest)
        lacking = REQUIRED - there.names if there is not None else REQUIRED
        return Missing(owner, lacking) if lacking else None

    def _set_of(self, digest: str) -> DerivedSet | None:
        listed = self._store.walk_as_listed(self._derived, prefix=derived_folder(digest))
        return next(derived_sets(listed), None)


def _is_between(begin: dt.datetime, stored: ObjectState, end: dt.datetime) -> bool:
    """Tell whether an object was written after ``begin``, whose second counts in full as listings tell no more."""
    return begin < stored.last_modified.replace(microsecond=0) <= end


def _up_to(until: str | None, listed: Iterable[ObjectState]) -> Iterator[ObjectState]:
    return iter(listed) if until is None else takewhile(lambda found: found.key <= until, listed)
