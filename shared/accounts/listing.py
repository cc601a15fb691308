"""Accounts, tokens and sessions as lists for whoever manages them: in pages, without hashes and digests."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from shared.accounts.account import Role, account_of
from shared.accounts.models import MAX_ID, LoginSession, Token, User
from shared.database import utc_now

__all__ = [
    "ListedAccount",
    "ListedSession",
    "ListedToken",
    "find_account",
    "page_of_accounts",
    "page_of_sessions",
    "page_of_tokens",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAccount:
    """An account, active or not, with the numbers of its tokens and of its sessions that are not over."""

    id: int
    username: str
    role: Role
    is_active: bool
    created_at: dt.datetime
    last_login: dt.datetime | None
    tokens: int
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedToken:
    """A token and whose it is; its key is known to nobody."""

    id: int
    username: str
    name: str
    created_at: dt.datetime
    last_used: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSession:
    """A session and whose it is."""

    id: int
    username: str
    created_at: dt.datetime
    expires_at: dt.datetime


def page_of_accounts(
    session: Session, *, part: str = "", limit: int, offset: int = 0
) -> tuple[int, tuple[ListedAccount, ...]]:
    """Return how many accounts have ``part`` in their names, in whatever case, and a page of them by name."""
    wanted = _with_numbers().where(*_named(part)).order_by(User.username, User.id)
    count = session.scalar(select(func.count()).select_from(User).where(*_named(part))) or 0
    return count, tuple(_account(row) for row in session.execute(wanted.limit(limit).offset(offset)))


def find_account(session: Session, account_id: int) -> ListedAccount | None:
    """Return the account of that id."""
    if not 0 <= account_id <= MAX_ID:
        return None
    row = session.execute(_with_numbers().where(User.id == account_id)).one_or_none()
    return _account(row) if row is not None else None


def page_of_tokens(
    session: Session, *, part: str = "", limit: int, offset: int = 0
) -> tuple[int, tuple[ListedToken, ...]]:
    """Return how many tokens accounts with ``part`` in their names have, and a page of them by account and age."""
    columns = (Token.id, User.username, Token.name, Token.created_at, Token.last_used)
    wanted = select(*columns).join(User, User.id == Token.user_id).where(*_named(part))
    count = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    rows = session.execute(wanted.order_by(User.username, Token.id).limit(limit).offset(offset))
    return count, tuple(ListedToken(**row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's name for its API


def page_of_sessions(
    session: Session, *, part: str = "", limit: int, offset: int = 0
) -> tuple[int, tuple[ListedSession, ...]]:
    """Return how many sessions are not over of accounts with ``part`` in their names, and a page, newest first."""
    columns = (LoginSession.id, User.username, LoginSession.created_at, LoginSession.expires_at)
    wanted = select(*columns).join(User, User.id == LoginSession.user_id).where(*_named(part), _is_open())
    count = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    rows = session.execute(wanted.order_by(LoginSession.id.desc()).limit(limit).offset(offset))
    return count, tuple(ListedSession(**row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's name for its API


def _with_numbers() -> Select[Any]:
    tokens = select(func.count()).select_from(Token).where(Token.user_id == User.id).scalar_subquery()
    sessions = select(func.count()).select_from(LoginSession).where(LoginSession.user_id == User.id, _is_open())
    return select(User, tokens, sessions.scalar_subquery())


def _account(row: Any) -> ListedAccount:
    user, tokens, sessions = row
    return ListedAccount(
        id=user.id,
        username=user.username,
        role=account_of(user).role,
        is_active=user.is_active,
        created_at=user.created_at,
        last_login=user.last_login,
        tokens=tokens,
        sessions=sessions,
    )


def _named(part: str) -> list[ColumnElement[bool]]:
    return [User.username.icontains(part, autoescape=True)] if part else []


def _is_open() -> ColumnElement[bool]:
    return LoginSession.expires_at > utc_now()
