"""Thread of the ingest host that builds bundles, as the bundle function does on AWS."""

import logging
import random
import threading
import time

from sqlalchemy.orm import Session, sessionmaker

from shared.backoff import delay
from shared.bundle.factory import make_bundle_worker
from shared.bundle.worker import BundleWorker
from shared.database import DATABASE_TROUBLE
from shared.errors import StoreError
from shared.settings import Settings

__all__ = ["BundleThread"]

_log = logging.getLogger("fitsvault.bundle")
_POLL_SECONDS = 0.5
_TIDY_SECONDS = 60.0
_LONGEST_PAUSE = 60.0
_PATIENCE = 15.0


class BundleThread:
    """Builds from ``start`` to ``stop``, one bundle after the other."""

    def __init__(self, settings: Settings, sessions: sessionmaker[Session] | None = None) -> None:
        self._settings = settings
        self._sessions = sessions
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bundles", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the parts that are under way; whoever comes next goes on with the bundle."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        worker = make_bundle_worker(self._settings, self._sessions)
        tidied, troubles, pause = 0.0, 0, 0.0
        while not self._stop.wait(pause):
            try:
                if time.monotonic() - tidied > _TIDY_SECONDS:
                    worker.tidy()
                    tidied = time.monotonic()
                self._build_all(worker)
                troubles, pause = 0, _POLL_SECONDS
            except (StoreError, *DATABASE_TROUBLE) as error:
                troubles += 1
                pause = delay(troubles, base=1.0, cap=_LONGEST_PAUSE, random=random.random())  # noqa: S311
                _log.error("bundles wait", extra={"reason": str(error)})
            except Exception:  # noqa: BLE001 - it is logged, and what waits is built all the same
                pause = _LONGEST_PAUSE
                _log.exception("bundles wait")

    def _build_all(self, worker: BundleWorker) -> None:
        while not self._stop.is_set() and worker.build_next(stop=self._stop.is_set):
            pass
