"""What the routes work with, made once for each application."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, cast

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.requests import HTTPConnection

from functions.api.probes import Probe, index_state, store_state, tables_state
from shared.bundle.calling import BundleCaller
from shared.database import Pool, limited, make_engine, make_session_factory
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.intake.service import Intake
    from shared.store.client import Store

__all__ = ["Services", "get_services", "make_services"]

_LOGINS_AT_ONCE = 2
_BUNDLE_READS_AT_ONCE = 8
_UPLOADS_AT_ONCE = 8
_QUICK_ATTEMPTS, _QUICK_SECONDS = 2, 4.0
"""How often, and for how long, people wait for a picture or a header of a store that says nothing."""


class Services:
    """Settings, index and store of one application. Safe to share between threads.

    ``sessions`` are those of the index; ``readers`` read what anybody may ask of frames, of the replica if there is
    one, and never for long. ``login_threads`` keep password checks from filling the threads that answer queries; logins
    wait for them in line. ``bundle_threads`` read what zips are made of; ``upload_threads`` wait until uploads are
    indexed. What most answers do without is imported and made when it is first asked for.
    """

    def __init__(self, settings: Settings, engine: Engine, read_engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        self.sessions = make_session_factory(engine)
        self.readers = make_session_factory(limited(read_engine, settings.query_seconds))
        self.login_threads = ThreadPoolExecutor(_LOGINS_AT_ONCE, thread_name_prefix="login")
        self.bundle_threads = ThreadPoolExecutor(_BUNDLE_READS_AT_ONCE, thread_name_prefix="bundle")
        self.upload_threads = ThreadPoolExecutor(_UPLOADS_AT_ONCE, thread_name_prefix="upload")
        self.bundle_caller = BundleCaller(settings)
        self.probes = {
            "database": Probe(lambda: index_state(self.sessions)),
            **({"replica": Probe(lambda: index_state(self.readers))} if self.replica is not None else {}),
            "store": Probe(lambda: store_state(self.store, settings)),
        }
        self.tables_probe = Probe(lambda: tables_state(self.sessions))
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._quick_store: Store | None = None
        self._intake: Intake | None = None

    @property
    def replica(self) -> sessionmaker[Session] | None:
        """``readers`` where they read of a replica, which may be a moment behind."""
        return self.readers if self.settings.database_read_url is not None else None

    @property
    def store(self) -> "Store":
        """The object store."""
        from shared.store.client import Store  # noqa: PLC0415 - lists need no store

        with self._lock:
            if self._store is None:
                self._store = Store(self.settings)
            return self._store

    @property
    def quick_store(self) -> "Store":
        """The same for small objects that somebody waits for, which is soon given up when it hangs."""
        from shared.store.client import Store  # noqa: PLC0415 - as above

        with self._lock:
            if self._quick_store is None:
                self._quick_store = Store(self.settings, attempts=_QUICK_ATTEMPTS, seconds=_QUICK_SECONDS)
            return self._quick_store

    @property
    def intake(self) -> "Intake":
        """What takes uploads, and deletes; BadTemplateError if a template of the settings cannot be used."""
        from shared.ingest.forget import forget_object  # noqa: PLC0415 - only uploads need it
        from shared.intake.service import Intake  # noqa: PLC0415

        with self._lock:
            if self._intake is None:
                forget = partial(forget_object, self.settings, self.store, self.sessions)
                self._intake = Intake(self.settings, self.store, self.sessions, forget, replica=self.replica)
            return self._intake

    def close(self) -> None:
        """Let go of connections and threads."""
        for probe in (*self.probes.values(), self.tables_probe):
            probe.close()
        self.login_threads.shutdown(wait=False, cancel_futures=True)
        self.bundle_threads.shutdown(wait=False, cancel_futures=True)
        self.upload_threads.shutdown(wait=False, cancel_futures=True)
        self.engine.dispose()
        self.readers.kw["bind"].dispose()


def make_services(settings: Settings, *, pool: Pool = "server") -> Services:
    """Make engines, which connect when they are first asked, and whatever else a server should not find wanting later.

    Raises
    ------
    BadTemplateError
        A template of the settings cannot be used. A function says so to who uploads.
    """
    engine = make_engine(settings.effective_database_url, name="fitsvault-api", pool=pool)
    replica = settings.database_read_url
    read_engine = engine
    if replica is not None:
        read_engine = make_engine(replica.get_secret_value(), name="fitsvault-api", pool=pool)
    services = Services(settings, engine, read_engine)
    if pool == "server":
        _ = services.intake
    return services


def get_services(connection: HTTPConnection) -> Services:
    """Return the services of the application that got the request."""
    return cast("Services", connection.app.state.services)
