"""Threads of the ingest host that wait for no event: sweeps, scans, and attempts that are due.

Any number of hosts may share store and database: they share one sweep, and make the next when it is due.
"""

import datetime as dt
import logging
import random
import threading

from sqlalchemy.orm import Session, sessionmaker

from functions.reconcile.handler import make_reconciler
from localstack.watch import Watch
from shared.database import DATABASE_TROUBLE, reason_of
from shared.errors import StoreError
from shared.ingest.reconcile import Reconciler, Scope, Swept
from shared.settings import Settings

__all__ = ["Sweeper"]

_log = logging.getLogger("fitsvault.host")
_RETRY_SECONDS = 1.0
_LONGEST_PAUSE = 60.0
_PATIENCE = 10.0
_JITTER = 0.1
_SCAN_SHARE = 0.2
"""The part of the time that scans may take at most, and how much earlier or later than asked for a sweep may come."""


class Sweeper:
    """Sweeps at start, by the clock, and at once when store or database were away; scans where no event comes."""

    def __init__(self, settings: Settings, sessions: sessionmaker[Session]) -> None:
        self._settings = settings
        self._sessions = sessions
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._returned = False
        work = [self._retry]
        if settings.reconcile_seconds:
            work += [self._sweep, Watch(settings, self._stop, self._sweep_at_once).run]
        if settings.trigger == "scan":
            work.append(self._scan)
        self._threads = [threading.Thread(target=target, name=target.__qualname__, daemon=True) for target in work]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after the object that is under work."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _sweep_at_once(self) -> None:
        self._returned = True
        self._wake.set()

    def _sweep(self) -> None:
        interval = self._settings.reconcile_seconds
        reconciler = make_reconciler(self._settings, self._sessions)
        is_due, pause = True, 0.0
        while not self._stop.is_set():
            lately = 0.0 if is_due or self._returned else interval / 2
            self._returned = False
            swept = self._try_sweep(reconciler, Scope.ALL, lately)
            is_due = swept is None
            pause = min(2 * pause or _RETRY_SECONDS, interval) if is_due else 0.0
            self._wake.wait(pause or interval * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311
            if not self._stop.is_set():
                self._wake.clear()

    def _scan(self) -> None:
        """Scan for new objects, so that scans take no more than their share of the time."""
        interval = self._settings.scan_seconds
        reconciler = make_reconciler(self._settings, self._sessions, patience=0.0)
        pause = 0.0
        while not self._stop.wait(pause):
            swept = self._try_sweep(reconciler, Scope.OBJECTS, interval / 2)
            scanning = swept.seconds if swept is not None else 0.0
            pause = max(interval, scanning * (1 / _SCAN_SHARE - 1))

    def _try_sweep(self, reconciler: Reconciler, scope: Scope, lately: float) -> Swept | None:
        """Sweep unless one has begun lately; None if it broke off."""
        try:
            since = reconciler.now() - dt.timedelta(seconds=lately)
            swept = reconciler.sweep(scope=scope, since=since, stop=self._stop.is_set)
        except (StoreError, *DATABASE_TROUBLE, OSError) as error:
            _log.error("reconcile broke off", extra={"scope": scope, "reason": reason_of(error)})
            return None
        except Exception:  # noqa: BLE001 - it is logged, and the next sweep comes all the same
            _log.exception("reconcile broke off", extra={"scope": scope})
            return None
        level = logging.INFO if scope is Scope.ALL else logging.DEBUG
        _log.log(level, "reconciled", extra={"scope": scope, "counts": dict(swept.counts)})
        return swept

    def _retry(self) -> None:
        """Try again what is due, and what somebody asked for at the API, which cannot read objects itself."""
        reconciler = make_reconciler(self._settings, self._sessions)
        pause = _RETRY_SECONDS
        while not self._stop.wait(pause):
            try:
                all_made = reconciler.retry(stop=self._stop.is_set)
            except (*DATABASE_TROUBLE, OSError) as error:
                all_made = False
                _log.error("nothing tried again", extra={"reason": reason_of(error)})
            except Exception:  # noqa: BLE001 - it is logged, and what is due stays due
                all_made = False
                _log.exception("nothing tried again")
            pause = _RETRY_SECONDS if all_made else min(2 * pause, _LONGEST_PAUSE)
