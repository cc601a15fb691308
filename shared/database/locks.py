"""Locks that all who share a database know of, by number."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

__all__ = ["holding"]


@contextmanager
def holding(engine: Engine, number: int, *, poll_seconds: float | None = None) -> Iterator[bool]:
    """Tell whether the lock is ours for the length of the block; on SQLite, which one machine has, it always is.

    A connection of its own holds it: one of the pool would take it along to whoever uses that next.

    Parameters
    ----------
    poll_seconds
        How often to ask until it is ours. Whoever waits within a statement instead holds up concurrent indexes.
        By default it is asked for once.
    """
    if engine.dialect.name != "postgresql":
        yield True
        return
    parameters = {"number": number}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        asked = text("SELECT pg_try_advisory_lock(:number)")
        while not (taken := bool(connection.execute(asked, parameters).scalar_one())) and poll_seconds is not None:
            time.sleep(poll_seconds)
        try:
            yield taken
        finally:
            if taken:
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), parameters)
