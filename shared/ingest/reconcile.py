"""Reconcile: finds what no event told, and settles it; shared by any number of workers, and gone on with after any end.

A sweep is cut into ranges (`shared.ingest.shards`) that are kept in the index (`shared.index.sweeps`). A worker claims
one, compares (`shared.ingest.finder`), mends (`shared.ingest.mender`) and writes down how far he is.
"""

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from sqlalchemy.orm import Session, sessionmaker

from shared.database import database_time, read, write
from shared.errors import FitsvaultError
from shared.index.failures import keys_to_retry
from shared.index.missing import WITHHELD, Missing, withheld
from shared.index.superseded import superseded_keys
from shared.index.sweeps import (
    begin_sweep,
    claim_range,
    has_ended,
    is_wanted,
    sweep_counts,
    sweep_under_way,
)
from shared.ingest.brake import advice
from shared.ingest.finder import PATIENCE, Finder
from shared.ingest.lease import LEASE
from shared.ingest.mender import Mender
from shared.ingest.patience import settle_or_defer
from shared.ingest.ranges import COMPARED, UNSETTLED, Call, Ranges
from shared.ingest.service import Ingester
from shared.ingest.shards import Scope, plan_sweep
from shared.parallel import in_parallel
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["COMPARED", "UNSETTLED", "WITHHELD", "Reconciler", "Scope", "Swept"]

_log = logging.getLogger("fitsvault.reconcile")

_RANGE = 50_000
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep counted, all its workers together, and whether it came to its end.

    ``seconds`` of this process went into comparing, without those that went into mending.
    """

    counts: Mapping[str, int]
    is_complete: bool
    seconds: float


def _never() -> bool:
    return False


def _tell_nobody(_counts: Mapping[str, int]) -> None:
    pass


class Reconciler:
    """Compares bucket and index, and settles what differs.

    Parameters
    ----------
    patience
        See `shared.ingest.finder.Finder`. Where no event tells of new objects, they are settled, too.
    lease
        How long a killed worker's range waits for another.
    range_size
        Frames in a range.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sessions: sessionmaker[Session],
        ingester: Ingester,
        *,
        patience: float = PATIENCE,
        lease: dt.timedelta = LEASE,
        range_size: int = _RANGE,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._ingester = ingester
        takes_new = settings.trigger == "scan"
        finder = Finder(settings, store, sessions, patience=patience, takes_new=takes_new)
        mender = Mender(settings, store, sessions, ingester)
        self._ranges = Ranges(settings, sessions, finder, mender, lease)
        self._lease = lease
        self._range_size = range_size
        self._told_missing: dict[str, Missing | None] = {}

    def now(self) -> dt.datetime:
        """Return the database's time, by which sweeps are dated."""
        with read(self._sessions) as session:
            return database_time(session)

    def sweep(
        self,
        prefix: str = "",
        *,
        scope: Scope = Scope.ALL,
        since: dt.datetime | None = None,
        workers: int = 1,
        stop: Callable[[], bool] = _never,
        waits: bool = True,
        told: Callable[[Mapping[str, int]], None] = _tell_nobody,
    ) -> Swept:
        """Take part in a sweep that goes on, and make one unless one has begun after ``since`` (by default now).

        Parameters
        ----------
        workers
            Ranges done at once, by threads of this process.
        stop
            Asked often; once it is true, what is done is written down and the rest is left to the next call.
        waits
            Wait for the ranges that other processes have, until they are done or their leases have ended.
        told
            Called with what was counted since it was called last.
        """
        wanted_since = since or self.now()
        if scope is not Scope.OBJECTS:
            self._tidy(stop)
        call = Call(prefix, stop, waits, told, is_braked=scope is not Scope.REMOVAL)
        counts: Mapping[str, int] = {}
        while not stop():
            sweep_id = self._begin(prefix, scope, wanted_since)
            if sweep_id is None:
                return Swept(counts, True, call.seconds)
            self._work_together(sweep_id, workers, call)
            with read(self._sessions) as session:
                counts, is_complete = sweep_counts(session, sweep_id), has_ended(session, sweep_id)
            if is_complete:
                self._tell_of_missing(prefix)
            elif not waits:
                break
        return Swept(counts, False, call.seconds)

    def retry(self, *, stop: Callable[[], bool] = _never) -> bool:
        """Make the attempts that are due; False if the store was away."""
        with read(self._sessions) as session:
            due = keys_to_retry(session, self._settings.bucket)
        return self._settle(due, stop)

    def _tidy(self, stop: Callable[[], bool]) -> None:
        """Have derived objects deleted that somebody who was killed was about to delete."""
        with read(self._sessions) as session:
            left = superseded_keys(session, self._settings.bucket)
        self._settle(left, stop)

    def _settle(self, keys: Sequence[str], stop: Callable[[], bool]) -> bool:
        """Settle objects until the store as a whole is away; tell whether it was there for all of them."""
        bucket = self._settings.bucket
        for key in takewhile(lambda _: not stop(), keys):
            try:
                settle_or_defer(self._ingester, bucket, key)
            except FitsvaultError as error:
                _log.error("not settled", extra={"bucket": bucket, "key": key, "reason": str(error)})
                return False
        return True

    def _begin(self, prefix: str, scope: Scope, since: dt.datetime) -> int | None:
        bucket = self._settings.bucket
        with read(self._sessions) as session:
            under_way = sweep_under_way(session, bucket, prefix, scope)
            if under_way is not None or not is_wanted(session, bucket, prefix, scope, since):
                return under_way
            known, ranges = plan_sweep(session, bucket, prefix, scope, size=self._range_size)
        with write(self._sessions) as session:
            return begin_sweep(session, bucket, prefix, scope, since=since, ranges=ranges, known=known)

    def _work_together(self, sweep_id: int, workers: int, call: Call) -> None:
        call.ended.clear()
        for _ in in_parallel(lambda _: self._work(sweep_id, call), range(workers), workers, stop=call.ended):
            pass

    def _work(self, sweep_id: int, call: Call) -> None:
        owner = uuid.uuid4().hex
        while not call.is_halted():
            with write(self._sessions) as session:
                claimed = claim_range(session, sweep_id, owner, self._lease)
            if claimed is not None:
                self._ranges.do(claimed, call)
                continue
            with read(self._sessions) as session:
                if not call.waits or has_ended(session, sweep_id):
                    return
            time.sleep(_POLL_SECONDS)

    def _tell_of_missing(self, prefix: str) -> None:
        """Log once how many frames are withheld."""
        bucket = self._settings.bucket
        with read(self._sessions) as session:
            missing = withheld(session, bucket, prefix)
        if missing is not None and missing != self._told_missing.get(prefix):
            _log.error(
                "frames withheld",
                extra={
                    "bucket": bucket,
                    "prefix": prefix,
                    "missing": missing.frames,
                    "known": missing.known,
                    "reason": advice(missing, prefix),
                },
            )
        self._told_missing[prefix] = missing
