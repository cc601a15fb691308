"""The database: what all tables share, the one engine factory, and the one way to open a transaction."""

from shared.database.base import Base, utc_now
from shared.database.engines import Pool, limited, make_engine
from shared.database.locks import holding
from shared.database.sessions import WRITE, database_time, make_session_factory, read, write
from shared.database.trouble import DATABASE_TROUBLE, is_timed_out, reason_of, words_of

__all__ = [
    "DATABASE_TROUBLE",
    "WRITE",
    "Base",
    "Pool",
    "database_time",
    "holding",
    "is_timed_out",
    "limited",
    "make_engine",
    "make_session_factory",
    "read",
    "reason_of",
    "utc_now",
    "words_of",
    "write",
]
