"""What a database raises, by what it means."""

import sqlite3

from sqlalchemy.exc import DBAPIError, TimeoutError  # noqa: A004 - of a pool whose connections are all taken

__all__ = ["DATABASE_TROUBLE", "is_timed_out", "reason_of", "words_of"]

DATABASE_TROUBLE = (DBAPIError, TimeoutError)
"""What the database raises when it is away, or keeps all connections waiting; a later attempt may cure it."""

_QUERY_CANCELED = "57014"


def is_timed_out(error: Exception) -> bool:
    """Tell whether a statement was given up because it took longer than it may."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
    return getattr(cause, "sqlstate", None) == _QUERY_CANCELED


def reason_of(error: Exception) -> str:
    """Return what an operator is told of trouble; never a statement or its parameters."""
    return f"the index: {words_of(error)}" if isinstance(error, DBAPIError) else str(error) or type(error).__name__


def words_of(error: DBAPIError) -> str:
    """Return the first line of what a database says."""
    return str(error.orig).splitlines()[0] if error.orig and str(error.orig) else type(error).__name__
