"""Watches whether store and database answer, and tells when they do again after they did not.

What happened meanwhile may never be told: SeaweedFS forgets what it has not delivered when it is killed.
"""

import logging
import math
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from sqlalchemy import text

from shared.database import DATABASE_TROUBLE, make_engine
from shared.errors import StoreError
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["Watch"]

_log = logging.getLogger("fitsvault.host")
_SECONDS = 0.5
_LOOK_SECONDS = 2.0
_DOOR_SECONDS = 1.0


class Watch:
    """Asks both, in the thread that runs it, so often that no restart is missed.

    Every half a second the database, and whether anybody listens where the store is, which costs next to nothing; the
    store itself every two seconds, and as soon as nobody listens. With TLS, or on AWS, nobody is rung up for nothing.
    """

    def __init__(self, settings: Settings, stop: threading.Event, returned: Callable[[], None]) -> None:
        self._bucket = settings.bucket
        self._store = Store(settings, attempts=1)
        self._engine = make_engine(settings.effective_database_url, name="fitsvault-watch")
        self._door = _door(settings)
        self._looked = -math.inf
        self._stop = stop
        self._returned = returned

    def run(self) -> None:
        """Watch until it is time to stop."""
        was_away = False
        while not self._stop.wait(_SECONDS):
            reason = self._trouble(was_away=was_away)
            if reason is not None and not was_away:
                _log.warning("away", extra={"reason": reason})
            if reason is None and was_away:
                _log.info("back again")
                self._returned()
            was_away = reason is not None
        self._engine.dispose()

    def _trouble(self, *, was_away: bool) -> str | None:
        try:
            if was_away or time.monotonic() - self._looked >= _LOOK_SECONDS or not self._is_listened():
                self._store.check_bucket(self._bucket)
                self._looked = time.monotonic()
            with self._engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except StoreError as error:
            return str(error)
        except (*DATABASE_TROUBLE, OSError) as error:
            return f"database: {type(error).__name__}"
        return None

    def _is_listened(self) -> bool:
        """Tell whether somebody takes connections where the store is; True where that is not asked."""
        if self._door is None:
            return True
        try:
            socket.create_connection(self._door, _DOOR_SECONDS).close()
        except OSError:
            return False
        return True


def _door(settings: Settings) -> tuple[str, int] | None:
    url = urlsplit(settings.s3_endpoint_url or "")
    return (url.hostname, url.port or 80) if url.scheme == "http" and url.hostname else None
