"""The database: what all tables share, the one engine factory, and the one way to open a transaction."""

import datetime as dt
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, TimeoutError  # noqa: A004 - of a pool whose connections are all taken
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["DATABASE_TROUBLE", "WRITE", "Base", "make_engine", "make_session_factory", "read", "utc_now", "write"]

DATABASE_TROUBLE = (DBAPIError, TimeoutError)
"""What the database raises when it is away, or keeps all connections waiting; a later attempt may cure it."""

WRITE = {"fitsvault_write": True}
"""Execution options of a connection whose transactions write."""

SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of a connection to PostgreSQL whose transactions read; on SQLite each has a snapshot anyway."""

BUSY_SECONDS = 30.0


class Base(DeclarativeBase):
    """Root of all tables; constraints and indexes have names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def utc_now() -> dt.datetime:
    """Return the time as naive UTC, which is what every column holds."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def make_engine(url: str) -> Engine:
    """Make an engine; the folder of an SQLite file is made with it.

    Parameters
    ----------
    url
        SQLAlchemy URL, such as ``sqlite:///data/index.sqlite``.

    Raises
    ------
    ValueError
        The URL names no file: each connection would have a database of its own.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    _make_parent(parsed)
    engine = create_engine(
        parsed, connect_args={"timeout": BUSY_SECONDS}, pool_size=8, max_overflow=32, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def make_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Make the session factory; loaded rows stay readable after the transaction has ended."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def read(factory: sessionmaker[Session]) -> Iterator[Session]:
    """Open a transaction that only reads: one snapshot for all its statements, rolled back at the end."""
    with factory() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.connection(execution_options=SNAPSHOT)
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


def _make_parent(url: URL) -> None:
    if url.database in (None, "", ":memory:"):
        message = "An SQLite index needs a file, as in sqlite:///data/index.sqlite."
        raise ValueError(message)
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    if not isinstance(connection, sqlite3.Connection):
        message = "SQLite is reached through Python's sqlite3 module only."
        raise TypeError(message)
    connection.isolation_level = None
    _enable_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite's own waiting covers neither the switch nor another process that is just closing."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("fitsvault_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
