"""Transactions: those that read, and those that write."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from shared.database.base import utc_now

__all__ = ["WRITE", "database_time", "make_session_factory", "read", "write"]

WRITE = {"fitsvault_write": True}
"""Execution options of a connection whose transactions write."""

_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of a connection to PostgreSQL whose transactions read; on SQLite each has a snapshot anyway."""


def make_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Make the session factory; loaded rows stay readable after the transaction has ended."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def read(factory: sessionmaker[Session]) -> Iterator[Session]:
    """Open a transaction that only reads: one snapshot for all its statements, rolled back at the end."""
    with factory() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.connection(execution_options=_SNAPSHOT)
        yield session


@contextmanager
def write(factory: sessionmaker[Session]) -> Iterator[Session]:
    """Open a transaction that writes: committed at the end, rolled back on an exception.

    On SQLite the write lock is taken at the start. A transaction that reads first and writes later could not wait for
    the lock, because what it has read may be stale by then; SQLite would refuse it at once.
    """
    with factory.begin() as session:
        session.connection(execution_options=WRITE)
        yield session


def database_time(session: Session) -> dt.datetime:
    """Return the time (naive UTC) by the clock that all who share the database have in common."""
    if session.get_bind().dialect.name != "postgresql":
        return utc_now()
    now: dt.datetime = session.scalars(text("SELECT clock_timestamp() AT TIME ZONE 'UTC'")).one()
    return now
