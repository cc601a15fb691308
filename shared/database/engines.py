"""Engines, made for where they run: in a server, or in a function that is frozen between two calls."""

from typing import Literal

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from shared.database.postgresql import make_postgresql_engine
from shared.database.sqlite import make_sqlite_engine

__all__ = ["Pool", "limited", "make_engine"]

Pool = Literal["server", "function"]
"""Where an engine runs: a process with many threads, or a function that answers one call at a time."""


def make_engine(url: str, *, name: str = "fitsvault", pool: Pool = "server") -> Engine:
    """Make an engine; it connects when it is first asked. The folder of an SQLite file is made with it.

    Parameters
    ----------
    url
        SQLAlchemy URL, such as ``sqlite:///data/index.sqlite``.
    name
        What PostgreSQL's lists of connections show of it.
    pool
        How many connections it keeps, and how long.

    Raises
    ------
    ValueError
        The URL names no file: each connection would have a database of its own.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return make_sqlite_engine(parsed)
    return make_postgresql_engine(parsed, name=name, is_function=pool == "function")


def limited(engine: Engine, seconds: float) -> Engine:
    """Return the engine, with the same connections, for reading what anybody asks.

    A statement that takes longer than ``seconds`` (0: no limit) is given up (`shared.database.is_timed_out`). On
    PostgreSQL each is planned for its own values: a plan for any value serves neither the rare nor the frequent one.
    """
    return engine.execution_options(fitsvault_query_seconds=seconds)
