"""The tables of accounts and tokens. Times are naive UTC."""

import datetime as dt

from sqlalchemy import CHAR, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from shared.database import Base

__all__ = ["MAX_TOKEN_NAME", "MAX_USERNAME", "Token", "User"]

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
