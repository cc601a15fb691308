"""Watches whether store and database answer, and tells when they do again after they did not.

What happened meanwhile may never be told: SeaweedFS forgets what it has not delivered when it is killed.
"""

import logging
import threading
from collections.abc import Callable

from sqlalchemy import text

from shared.database import DATABASE_TROUBLE, make_engine
from shared.errors import StoreError
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["Watch"]

_log = logging.getLogger("fitsvault.host")
_SECONDS = 0.5


class Watch:
    """Asks both every half a second, in the thread that runs it."""

    def __init__(self, settings: Settings, stop: threading.Event, returned: Callable[[], None]) -> None:
        self._bucket = settings.bucket
        self._store = Store(settings, attempts=1)
        self._engine = make_engine(settings.effective_database_url, name="fitsvault-watch")
        self._stop = stop
        self._returned = returned

    def run(self) -> None:
        """Watch until it is time to stop."""
        was_away = False
        while not self._stop.wait(_SECONDS):
            reason = self._trouble()
            if reason is not None and not was_away:
                _log.warning("away", extra={"reason": reason})
            if reason is None and was_away:
                _log.info("back again")
                self._returned()
            was_away = reason is not None
        self._engine.dispose()

    def _trouble(self) -> str | None:
        try:
            self._store.check_bucket(self._bucket)
            with self._engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except StoreError as error:
            return str(error)
        except (*DATABASE_TROUBLE, OSError) as error:
            return f"database: {type(error).__name__}"
        return None
