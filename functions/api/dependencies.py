"""What the routes work with, made once for each application."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.requests import HTTPConnection

from functions.api.probes import Probe, index_state, store_state
from shared.database import make_engine, make_session_factory
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

    ``login_threads`` keep password checks from filling the threads that answer queries; logins wait for them in line.
    ``bundle_threads`` read what zips are made of; ``upload_threads`` wait until uploads are indexed.
    """

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    store: Store
    login_threads: ThreadPoolExecutor
    bundle_threads: ThreadPoolExecutor
    intake: Intake
    upload_threads: ThreadPoolExecutor
    probes: dict[str, Probe]

    def close(self) -> None:
        """Let go of connections and threads."""
        for probe in self.probes.values():
            probe.close()
        self.login_threads.shutdown(wait=False, cancel_futures=True)
        self.bundle_threads.shutdown(wait=False, cancel_futures=True)
        self.upload_threads.shutdown(wait=False, cancel_futures=True)
        self.engine.dispose()


def make_services(settings: Settings) -> Services:
    """Make the engine and the store's client; neither connects before it is asked.

    Raises
    ------
    BadTemplateError
        A template of the settings cannot be used.
    """
    engine = make_engine(settings.effective_database_url)
    sessions = make_session_factory(engine)
    store = Store(settings)
    return Services(
        settings=settings,
        engine=engine,
        sessions=sessions,
        store=store,
        login_threads=ThreadPoolExecutor(_LOGINS_AT_ONCE, thread_name_prefix="login"),
        bundle_threads=ThreadPoolExecutor(_BUNDLE_READS_AT_ONCE, thread_name_prefix="bundle"),
        intake=Intake(settings, store, sessions, lambda key: forget_object(settings, store, sessions, key)),
        upload_threads=ThreadPoolExecutor(_UPLOADS_AT_ONCE, thread_name_prefix="upload"),
        probes={
            "database": Probe(lambda: index_state(sessions)),
            "store": Probe(lambda: store_state(store, settings)),
        },
    )


def get_services(connection: HTTPConnection) -> Services:
    """Return the services of the application that got the request."""
    return cast("Services", connection.app.state.services)
