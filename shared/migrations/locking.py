"""One migration at a time, whoever starts it, on a connection of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from shared.database import WRITE

__all__ = ["migrating"]

_ADVISORY_LOCK = 0x66697473
_POLL_SECONDS = 0.2
# Alembic keeps the migration under way in module globals.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """Give a connection to migrate on, when nobody else does.

    On SQLite it is one transaction that writes. On PostgreSQL each migration has its own, which it may end to go on
    without one; the lock is held by a connection of its own.
    """
    with _ONE_AT_A_TIME:
        if engine.dialect.name == "postgresql":
            with _locked(engine), engine.connect() as connection:
                yield connection
        else:
            with engine.execution_options(**WRITE).begin() as connection:
                yield connection


@contextmanager
def _locked(engine: Engine) -> Iterator[None]:
    """Hold the lock. Who waits asks again and again: whoever waits within a statement holds up concurrent indexes."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        parameters = {"key": _ADVISORY_LOCK}
        while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), parameters).scalar_one():
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), parameters)
