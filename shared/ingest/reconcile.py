"""Reconcile: finds what no event told, by a merge of two listings in key order, and settles it.

The bucket's listing stands against what the index knows (frames and failures). Both are read as they come, so
memory does not grow with the archive.
"""

import datetime as dt
import heapq
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read
from shared.errors import FitsvaultError
from shared.index.failures import keys_to_retry, walk_failures
from shared.index.frames import walk_objects
from shared.ingest.patience import settle_or_defer
from shared.ingest.service import Ingester, Outcome
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["Discrepancy", "DiscrepancyKind", "Reconciler", "compare"]

_log = logging.getLogger("fitsvault.reconcile")


class DiscrepancyKind(StrEnum):
    """How store and index differ."""

    UNINDEXED = "unindexed"
    PHANTOM = "phantom"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One key about which store and index do not agree."""

    key: str
    kind: DiscrepancyKind
    last_modified: dt.datetime | None = None


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def etag(self) -> str | None: ...
    @property
    def size(self) -> int | None: ...


def compare(stored: Iterable[ObjectState], known: Iterable[_Keyed]) -> Iterator[Discrepancy]:
    """Yield where two listings, each in byte order of its keys, differ."""
    known_entries = iter(known)
    entry = next(known_entries, None)
    for object_ in stored:
        while entry is not None and _order(entry.key) < _order(object_.key):
            yield Discrepancy(entry.key, DiscrepancyKind.PHANTOM)
            entry = next(known_entries, None)
        if entry is None or entry.key != object_.key:
            yield Discrepancy(object_.key, DiscrepancyKind.UNINDEXED, object_.last_modified)
            continue
        if (entry.etag, entry.size) != (object_.etag, object_.size):
            yield Discrepancy(object_.key, DiscrepancyKind.STALE, object_.last_modified)
        entry = next(known_entries, None)
    while entry is not None:
        yield Discrepancy(entry.key, DiscrepancyKind.PHANTOM)
        entry = next(known_entries, None)


def _order(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


class Reconciler:
    """Compares the whole bucket with the whole index, and settles what differs."""

    def __init__(self, bucket: str, store: Store, sessions: sessionmaker[Session], ingester: Ingester) -> None:
        self._bucket = bucket
        self._store = store
        self._sessions = sessions
        self._ingester = ingester

    def find(self, prefix: str = "") -> Iterator[Discrepancy]:
        """Yield what differs just now. Objects that came after the scan began are left to their events.

        Failures that somebody asked another attempt at come first, as stale.
        """
        with read(self._sessions) as session:
            asked = keys_to_retry(session, self._bucket, prefix=prefix)
        yield from (Discrepancy(key, DiscrepancyKind.STALE) for key in asked)
        begin = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        stored = (
            object_
            for object_ in self._store.walk(self._bucket, prefix=prefix)
            if not (object_.size == 0 and object_.key.endswith("/"))
        )
        for found in compare(stored, self._known(prefix)):
            if found.last_modified is None or found.last_modified <= begin:
                yield found

    def mend(self, prefix: str = "", *, stop: Callable[[], bool] = lambda: False) -> dict[str, int]:
        """Settle what differs, and return how many discrepancies of each kind there were, and ``unsettled``.

        What proves to be settled already does not count: it is met where the store lists in another order than ours
        (SeaweedFS lists folder by folder), or where an event came first.
        """
        counts = dict.fromkeys([*DiscrepancyKind, "unsettled"], 0)
        for found in self.find(prefix):
            if stop():
                break
            try:
                outcome = self._ingester.settle(self._bucket, found.key)
            except FitsvaultError as error:
                counts["unsettled"] += 1
                _log.error("not settled", extra={"bucket": self._bucket, "key": found.key, "reason": str(error)})
            else:
                if outcome is Outcome.UNCHANGED:
                    continue
            counts[found.kind] += 1
        return counts

    def retry(self, *, stop: Callable[[], bool] = lambda: False) -> bool:
        """Make the attempts that were asked for; tell whether all of them could be made."""
        with read(self._sessions) as session:
            asked = keys_to_retry(session, self._bucket)
        all_made = True
        for key in asked:
            if stop():
                break
            try:
                settle_or_defer(self._ingester, self._bucket, key)
            except FitsvaultError as error:
                all_made = False
                _log.error("not tried again", extra={"bucket": self._bucket, "key": key, "reason": str(error)})
        return all_made

    def _known(self, prefix: str) -> Iterator[_Keyed]:
        frames = walk_objects(self._sessions, self._bucket, prefix=prefix)
        failures = walk_failures(self._sessions, self._bucket, prefix=prefix)
        return heapq.merge(frames, failures, key=lambda entry: _order(entry.key))
