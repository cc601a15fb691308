"""What a database raises, by what it means."""

import sqlite3

from sqlalchemy.exc import DBAPIError, TimeoutError  # noqa: A004 - of a pool whose connections are all taken

__all__ = ["DATABASE_TROUBLE", "is_timed_out"]

DATABASE_TROUBLE = (DBAPIError, TimeoutError)
"""What the database raises when it is away, or keeps all connections waiting; a later attempt may cure it."""

_QUERY_CANCELED = "57014"


def is_timed_out(error: Exception) -> bool:
    """Tell whether a statement was given up because it took longer than it may."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
    return getattr(cause, "sqlstate", None) == _QUERY_CANCELED
