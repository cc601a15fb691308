"""What all tables share."""

import datetime as dt

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

__all__ = ["Base", "utc_now"]


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
