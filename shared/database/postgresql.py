"""Engines for PostgreSQL.

A database that is away is noticed in seconds, whatever is in between: by a deadline for connecting, by keepalives, and
by a question before a connection is used again.
"""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["make_postgresql_engine"]

_CONNECTION = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_SERVER: dict[str, Any] = {"pool_size": 8, "max_overflow": 16, "pool_timeout": 15, "pool_recycle": 1800}
_FUNCTION: dict[str, Any] = {"pool_size": 1, "max_overflow": 4, "pool_timeout": 15, "pool_recycle": 300}
_FROZEN = {"idle_session_timeout": (140000, "15min"), "idle_in_transaction_session_timeout": (90600, "60s")}
"""What the server is to do with the connections of functions that never come back, and since which of its versions."""


def make_postgresql_engine(url: URL, *, name: str, is_function: bool) -> Engine:
    """Make an engine; what the URL says of a connection outweighs what is said here."""
    given = {"application_name": name} | _CONNECTION
    engine = create_engine(
        url,
        connect_args={key: value for key, value in given.items() if key not in url.query},
        pool_pre_ping=True,
        pool_use_lifo=True,
        hide_parameters=True,
        **(_FUNCTION if is_function else _SERVER),
    )
    event.listen(engine, "begin", _limit)
    if is_function:
        event.listen(engine, "connect", _let_go_of_frozen)
    return engine


def _limit(connection: Connection) -> None:
    seconds = connection.get_execution_options().get("fitsvault_query_seconds")
    if seconds is not None:
        connection.exec_driver_sql(
            f"SET LOCAL statement_timeout = {round(seconds * 1000)}; SET LOCAL plan_cache_mode = force_custom_plan"
        )


def _let_go_of_frozen(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """Have the server end what a function leaves when it is frozen for good, or killed within a transaction."""
    raw: Any = connection
    known = {name: value for name, (since, value) in _FROZEN.items() if raw.info.server_version >= since}
    raw.autocommit = True
    raw.execute("; ".join(f"SET {name} = '{value}'" for name, value in known.items()))
    raw.autocommit = False
