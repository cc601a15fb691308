"""Ranges of a sweep, done: what differs is mended, what is missing is counted first and removed at the end."""

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.index.missing import MISSING, WITHHELD, missing_of
from shared.index.sweeps import ClaimedRange, save_progress
from shared.ingest.brake import is_too_much
from shared.ingest.discrepancies import Discrepancy, DiscrepancyKind
from shared.ingest.finder import Finder
from shared.ingest.lease import held
from shared.ingest.mender import Mender
from shared.ingest.second_look import Batch
from shared.ingest.service import Outcome
from shared.ingest.shards import Part
from shared.parallel import in_parallel
from shared.settings import Settings

__all__ = ["COMPARED", "UNSETTLED", "Call", "Ranges"]

COMPARED = "compared"
UNSETTLED = "unsettled"
"""Counts of a sweep beside those of the kinds of discrepancy."""


@dataclass(slots=True)
class Call:
    """One call of ``sweep``, which all its threads work for.

    ``seconds`` are those of comparing. Where it ``is_braked``, missing frames are removed only if they are not too
    many.
    """

    prefix: str
    stop: Callable[[], bool]
    waits: bool
    told: Callable[[Mapping[str, int]], None]
    is_braked: bool
    ended: threading.Event = field(default_factory=threading.Event)
    seconds: float = 0.0

    def is_halted(self) -> bool:
        """Tell whether its threads have to end."""
        return self.stop() or self.ended.is_set()


class Ranges:
    """Does ranges that were claimed. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        sessions: sessionmaker[Session],
        finder: Finder,
        mender: Mender,
        lease: dt.timedelta,
    ) -> None:
        self._workers = settings.ingest_workers
        self._sessions = sessions
        self._finder = finder
        self._mender = mender
        self._lease = lease

    def do(self, claimed: ClaimedRange, call: Call) -> None:
        """Do it to its end, or until the call is halted or the range is another's."""
        with held(self._sessions, claimed, self._lease) as lost:

            def is_halted() -> bool:
                return call.is_halted() or lost.is_set()

            if claimed.part == Part.MISSING:
                is_done = self._remove(claimed, call, is_halted)
            else:
                is_done = self._compare(claimed, call, is_halted)
            if is_done:
                with write(self._sessions) as session:
                    save_progress(session, claimed, {}, position=None, is_done=True)

    def _compare(self, claimed: ClaimedRange, call: Call, is_halted: Callable[[], bool]) -> bool:
        """Compare and mend the rest of a range, but hold missing frames back; tell whether it was done to its end."""
        begin = time.monotonic()
        for batch in self._batches(claimed, call.prefix):
            call.seconds += time.monotonic() - begin
            missing = sum(found.loses_frame for found in batch.found)
            counts = self._mend((found for found in batch.found if not found.loses_frame), is_halted)
            goes_on = not is_halted()
            if goes_on:
                counts[COMPARED] += batch.compared
            position = batch.position if goes_on else None
            with write(self._sessions) as session:
                is_ours = save_progress(session, claimed, counts, position=position, missing=missing)
            call.told(counts)
            if not goes_on or not is_ours:
                return False
            begin = time.monotonic()
        return True

    def _remove(self, claimed: ClaimedRange, call: Call, is_halted: Callable[[], bool]) -> bool:
        """Remove the frames that were counted missing, if they still are, and if they were not too many altogether.

        No more of them than were counted, so that a store that has become empty since costs none. Tells whether the
        range was done to its end.
        """
        left = claimed.counts[MISSING] - claimed.counts.get(DiscrepancyKind.PHANTOM, 0)
        with read(self._sessions) as session:
            is_held = call.is_braked and is_too_much(missing_of(session, claimed.sweep_id))
        if is_held:
            with write(self._sessions) as session:
                save_progress(session, claimed, {WITHHELD: left}, position=None, is_done=True)
            return False
        for batch in self._finder.objects(call.prefix, after=claimed.position, until=claimed.until):
            found = [found for found in batch.found if found.loses_frame][:left]
            counts = self._mend(found, is_halted)
            left -= len(found)
            goes_on = not is_halted()
            with write(self._sessions) as session:
                is_ours = save_progress(session, claimed, counts, position=batch.position if goes_on else None)
            call.told(counts)
            if not goes_on or not is_ours:
                return False
            if not left:
                break
        return True

    def _batches(self, claimed: ClaimedRange, prefix: str) -> Iterator[Batch]:
        if claimed.part == Part.OBJECTS:
            return self._finder.objects(prefix, after=claimed.position, until=claimed.until)
        if claimed.part == Part.DERIVED:
            return self._finder.derived(after=claimed.position, until=claimed.until)
        return self._finder.derived_of(prefix, after=claimed.position, until=claimed.until)

    def _mend(self, found: Iterable[Discrepancy], stop: Callable[[], bool]) -> Counter[str]:
        """Mend what was found. What proves to be settled already does not count: its event has come meanwhile."""
        counts: Counter[str] = Counter()
        wanted = takewhile(lambda _: not stop(), found)
        for discrepancy, outcome in in_parallel(self._mender.mend, wanted, self._workers):
            if outcome in (Outcome.UNCHANGED, Outcome.IGNORED):
                continue
            counts[discrepancy.kind] += 1
            if outcome is Outcome.DEFERRED:
                counts[UNSETTLED] += 1
        return counts
