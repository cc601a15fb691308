"""Threads of the ingest host that wait for no event: the sweep at start and by the clock, and attempts asked for."""

import logging
import threading

from sqlalchemy.exc import DBAPIError

from functions.reconcile.handler import make_reconciler
from shared.settings import Settings

__all__ = ["Sweeper"]

_log = logging.getLogger("fitsvault.host")
_RETRY_SECONDS = 1.0
_LONGEST_PAUSE = 60.0
_PATIENCE = 10.0


class Sweeper:
    """Sweeps and retries in threads of its own, from ``start`` to ``stop``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        works = (self._sweep, self._retry) if settings.reconcile_seconds else (self._retry,)
        self._threads = [threading.Thread(target=work, name=work.__name__, daemon=True) for work in works]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after the object that is under work."""
        self._stop.set()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _sweep(self) -> None:
        reconciler = make_reconciler(self._settings)
        while not self._stop.is_set():
            try:
                counts = reconciler.mend(stop=self._stop.is_set)
                _log.info("reconciled", extra={"counts": counts})
            except Exception:  # noqa: BLE001 - it is logged, and the next sweep comes all the same
                _log.exception("reconcile broke off")
            self._stop.wait(self._settings.reconcile_seconds)

    def _retry(self) -> None:
        """Try again what somebody asked for at the API, which cannot read objects itself."""
        reconciler = make_reconciler(self._settings)
        pause = _RETRY_SECONDS
        while not self._stop.wait(pause):
            try:
                all_made = reconciler.retry(stop=self._stop.is_set)
            except (DBAPIError, OSError) as error:
                all_made = False
                _log.error("nothing tried again", extra={"reason": str(error)})
            pause = _RETRY_SECONDS if all_made else min(2 * pause, _LONGEST_PAUSE)
