"""Engines for SQLite, through Python's sqlite3 module, in WAL mode."""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["make_sqlite_engine"]

_BUSY_SECONDS = 30.0
_STEPS = 20_000
"""Steps of SQLite's machine, some milliseconds, after which it is asked whether a statement takes too long."""


def make_sqlite_engine(url: URL) -> Engine:
    """Make an engine, and the folder of its file."""
    _make_parent(url)
    engine = create_engine(
        url, connect_args={"timeout": _BUSY_SECONDS}, pool_size=8, max_overflow=32, hide_parameters=True
    )
    event.listen(engine, "do_connect", lambda *_: _make_file(Path(str(url.database))))
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _limit)
    return engine


def _make_parent(url: URL) -> None:
    if url.database in (None, "", ":memory:"):
        message = "An SQLite index needs a file, as in sqlite:///data/index.sqlite."
        raise ValueError(message)
    Path(str(url.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _make_file(path: Path) -> None:
    """Make an empty file that nobody else can read: it will hold hashes of passwords and tokens.

    Where that cannot be, SQLite says why; where the file is there, it stays as it is.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    if not isinstance(connection, sqlite3.Connection):
        message = "SQLite is reached through Python's sqlite3 module only."
        raise TypeError(message)
    connection.isolation_level = None
    _enable_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite's own waiting covers neither the switch nor another process that is just closing."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    _driver(connection).set_progress_handler(None, 0)
    writes = connection.get_execution_options().get("fitsvault_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _limit(connection: Connection, *_: Any) -> None:
    """Give the statement that begins a time at which it is interrupted."""
    seconds = connection.get_execution_options().get("fitsvault_query_seconds")
    if seconds:
        deadline = time.monotonic() + seconds
        _driver(connection).set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
