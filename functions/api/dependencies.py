"""What the routes work with, made once for each application."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.requests import HTTPConnection

from functions.api.probes import Probe, index_state, store_state, tables_state
from shared.bundle.calling import BundleCaller
from shared.database import Pool, limited, make_engine, make_session_factory
from shared.ingest.forget import forget_object
from shared.intake.service import Intake
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["Services", "get_services", "make_services"]

_LOGINS_AT_ONCE = 2
_BUNDLE_READS_AT_ONCE = 8
_UPLOADS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Services:
    """Settings, index and store of one application.

    ``sessions`` are those of the index; ``readers`` read what anybody may ask of frames, of the replica if there is
    one, and never for long. ``login_threads`` keep password checks from filling the threads that answer queries; logins
    wait for them in line. ``bundle_threads`` read what zips are made of; ``upload_threads`` wait until uploads are
    indexed.
    """

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    readers: sessionmaker[Session]
    store: Store
    login_threads: ThreadPoolExecutor
    bundle_threads: ThreadPoolExecutor
    intake: Intake
    upload_threads: ThreadPoolExecutor
    bundle_caller: BundleCaller
    probes: dict[str, Probe]
    tables_probe: Probe

    @property
    def replica(self) -> sessionmaker[Session] | None:
        """``readers`` where they read of a replica, which may be a moment behind."""
        return self.readers if self.settings.database_read_url is not None else None

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
    """Make engines and the store's client; none connects before it is asked.

    Raises
    ------
    BadTemplateError
        A template of the settings cannot be used.
    """
    engine = make_engine(settings.effective_database_url, name="fitsvault-api", pool=pool)
    replica = settings.database_read_url
    read_engine = engine
    if replica is not None:
        read_engine = make_engine(replica.get_secret_value(), name="fitsvault-api", pool=pool)
    sessions = make_session_factory(engine)
    readers = make_session_factory(limited(read_engine, settings.query_seconds))
    store = Store(settings)
    return Services(
        settings=settings,
        engine=engine,
        sessions=sessions,
        readers=readers,
        store=store,
        login_threads=ThreadPoolExecutor(_LOGINS_AT_ONCE, thread_name_prefix="login"),
        bundle_threads=ThreadPoolExecutor(_BUNDLE_READS_AT_ONCE, thread_name_prefix="bundle"),
        intake=Intake(
            settings,
            store,
            sessions,
            lambda key: forget_object(settings, store, sessions, key),
            replica=readers if replica is not None else None,
        ),
        upload_threads=ThreadPoolExecutor(_UPLOADS_AT_ONCE, thread_name_prefix="upload"),
        bundle_caller=BundleCaller(settings),
        probes={
            "database": Probe(lambda: index_state(sessions)),
            **({"replica": Probe(lambda: index_state(readers))} if replica is not None else {}),
            "store": Probe(lambda: store_state(store, settings)),
        },
        tables_probe=Probe(lambda: tables_state(sessions)),
    )


def get_services(connection: HTTPConnection) -> Services:
    """Return the services of the application that got the request."""
    return cast("Services", connection.app.state.services)
