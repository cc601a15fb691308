"""The tables of accounts, tokens, sessions and wrong passwords. Times are naive UTC."""

import datetime as dt

from sqlalchemy import CHAR, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from shared.database import Base

__all__ = ["MAX_ID", "MAX_TOKEN_NAME", "MAX_USERNAME", "AccountImport", "LoginSession", "Throttle", "Token", "User"]

MAX_ID = 2**31 - 1
"""What an id of these tables can be; PostgreSQL refuses to look for a larger one."""

MAX_USERNAME = 150
MAX_TOKEN_NAME = 100


class User(Base):
    """An account. Its id is never given to another one."""

    __tablename__ = "users"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(MAX_USERNAME), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    is_staff: Mapped[bool]
    is_superuser: Mapped[bool]
    is_active: Mapped[bool]
    created_at: Mapped[dt.datetime]
    last_login: Mapped[dt.datetime | None]


class Token(Base):
    """A key that stands for an account; only its SHA-256 is kept."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(CHAR(64), unique=True)
    name: Mapped[str] = mapped_column(String(MAX_TOKEN_NAME))
    created_at: Mapped[dt.datetime]
    last_used: Mapped[dt.datetime | None]


class LoginSession(Base):
    """A browser that somebody logged in with; only the SHA-256 of its cookie is kept."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(CHAR(64), unique=True)
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class Throttle(Base):
    """How often a wrong password was tried on one name, or from one address; ``subject`` is a digest of either."""

    __tablename__ = "throttles"

    subject: Mapped[str] = mapped_column(CHAR(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[dt.datetime] = mapped_column(index=True)
    blocked_until: Mapped[dt.datetime]


class AccountImport(Base):
    """An account or token that was taken over from another archive once, and is not taken over again.

    ``item`` is ``user:`` and a name, or ``token:`` and a digest.
    """

    __tablename__ = "account_imports"

    item: Mapped[str] = mapped_column(String(200), primary_key=True)
    imported_at: Mapped[dt.datetime]
