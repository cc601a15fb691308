"""Thread of the ingest host that sends notifications: at once when something was settled here, else every second."""

import logging
import random
import threading

from shared.backoff import delay
from shared.database import DATABASE_TROUBLE, make_engine, make_session_factory
from shared.ingest.patience import reason_of
from shared.notify.factory import make_dispatcher
from shared.settings import Settings

__all__ = ["DispatchThread"]

_log = logging.getLogger("fitsvault.notify")
_POLL_SECONDS = 1.0
_LONGEST_PAUSE = 60.0
_PATIENCE = 15.0


class DispatchThread:
    """Sends from ``start`` to ``stop``; where nobody is to be told there is no thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatch", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._settings.notify_targets:
            self._thread.start()

    def wake(self) -> None:
        """Have it look now."""
        self._wake.set()

    def stop(self) -> None:
        """End, after the messages that are on their way."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        sessions = make_session_factory(make_engine(self._settings.effective_database_url, name="fitsvault-notify"))
        dispatcher = make_dispatcher(self._settings, sessions)
        troubles = 0
        while not self._stop.is_set():
            self._wake.clear()
            try:
                dispatcher.dispatch(stop=self._stop.is_set)
            except DATABASE_TROUBLE as error:
                troubles += 1
                _log.error("notifications wait", extra={"reason": reason_of(error)})
                self._stop.wait(delay(troubles, base=_POLL_SECONDS, cap=_LONGEST_PAUSE, random=random.random()))  # noqa: S311
            except Exception:  # noqa: BLE001 - it is logged, and what waits is sent all the same
                troubles += 1
                _log.exception("notifications wait")
                self._stop.wait(_LONGEST_PAUSE)
            else:
                troubles = 0
                self._wake.wait(_POLL_SECONDS)
