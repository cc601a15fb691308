"""Changes of a full table of PostgreSQL while others read and write it.

Whatever needs the table for itself is done at once or not at all: it does not wait in line for long, since everybody
else would wait behind it, but tries again. All else takes no lock that anybody waits for. Every step may be done again
after it was broken off.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TypeVar

from alembic import op
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from shared.backoff import delay

__all__ = ["at_once", "autocommitting", "drop_index", "fill", "has_rows", "has_trigger", "make_index", "retried"]

_Result = TypeVar("_Result")
_log = logging.getLogger("fitsvault.migrations")
_ATTEMPTS = 100
_LOCK_TIMEOUT = "500ms"
_LONGEST_PAUSE = 5.0
_BATCH = 1000
_BATCHES = 10
_IN_THE_WAY = ("55P03", "40P01")
"""States of a statement that did not get its lock in time, or was in somebody's way."""


@contextmanager
def autocommitting() -> Iterator[Connection]:
    """End the migration's transaction, and give its connection for statements that are transactions of their own."""
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        connection.exec_driver_sql("SET statement_timeout = 0")
        try:
            yield connection
        finally:
            if not connection.invalidated:
                connection.exec_driver_sql("RESET statement_timeout")


def at_once(connection: Connection, statements: str) -> None:
    """Run statements that need a table for themselves, for milliseconds, as one transaction."""

    def run() -> None:
        connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
        try:
            connection.exec_driver_sql(statements)
        finally:
            if not connection.invalidated:
                connection.exec_driver_sql("RESET lock_timeout")

    retried(run)


def retried(run: Callable[[], _Result]) -> _Result:
    """Do something, again as long as others are in its way, for some minutes at most."""
    for attempt in count(1):
        try:
            return run()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _IN_THE_WAY or attempt == _ATTEMPTS:
                raise
            _log.info("others are in the way", extra={"attempt": attempt})
            time.sleep(delay(attempt, base=0.1, cap=_LONGEST_PAUSE, random=random.random()))  # noqa: S311
    raise AssertionError("unreachable")


def fill(connection: Connection, table: str, statement: str, *, after_some: Callable[[], None]) -> int:
    """Change all rows of a table, some at a time; return how many.

    Parameters
    ----------
    statement
        Changes those with ids beyond its first parameter and up to its second one. Those that somebody is just writing
        it leaves to a further pass (``SKIP LOCKED``): neither waits for the other for long.
    after_some
        What is to be done after some thousands, and at the end.
    """
    last, changed = 0, 0
    batch = f"SELECT max(id) FROM (SELECT id FROM {table} WHERE id > %s ORDER BY id LIMIT %s) AS batch"  # noqa: S608
    for number in count(1):
        until = connection.exec_driver_sql(batch, (last, _BATCH)).scalar()
        if until is None:
            break
        changed += retried(partial(_changed, connection, statement, (last, until)))
        last = until
        if number % _BATCHES == 0:
            after_some()
    after_some()
    return changed


def _changed(connection: Connection, statement: str, parameters: tuple[int, int]) -> int:
    return connection.exec_driver_sql(statement, parameters).rowcount


def make_index(connection: Connection, name: str, definition: str, *, concurrently: bool) -> None:
    """Make an index unless it is there; what a broken attempt has left of it goes first."""
    invalid = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"
    if connection.exec_driver_sql(invalid, (name,)).first():
        drop_index(connection, name, concurrently=True)
    way = "CONCURRENTLY " if concurrently else ""
    connection.exec_driver_sql(f"CREATE INDEX {way}IF NOT EXISTS {name} ON {definition}")


def drop_index(connection: Connection, name: str, *, concurrently: bool) -> None:
    """Drop an index if it is there."""
    connection.exec_driver_sql(f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}IF EXISTS {name}")


def has_rows(connection: Connection, table: str) -> bool:
    """Tell whether a table has rows; what is done to it otherwise needs no care."""
    return connection.exec_driver_sql(f"SELECT 1 FROM {table} LIMIT 1").first() is not None  # noqa: S608 - our own name


def has_trigger(connection: Connection, table: str, name: str) -> bool:
    """Tell whether a table has a trigger."""
    statement = "SELECT 1 FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s"
    return connection.exec_driver_sql(statement, (table, name)).first() is not None
