"""One migration at a time, whoever starts it, on a connection of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from shared.database import WRITE, holding

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
            with holding(engine, _ADVISORY_LOCK, poll_seconds=_POLL_SECONDS), engine.connect() as connection:
                yield connection
        else:
            with engine.execution_options(**WRITE).begin() as connection:
                yield connection
