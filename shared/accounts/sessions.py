"""Sessions: browsers that somebody logged in with."""

import datetime as dt
import hashlib
import hmac
import re
import secrets

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from shared.accounts.account import Account, account_of
from shared.accounts.models import MAX_ID, LoginSession, User
from shared.database import utc_now

__all__ = [
    "MAX_SESSIONS",
    "close_session",
    "csrf_token",
    "end_session",
    "end_sessions",
    "find_by_session",
    "open_session",
]

MAX_SESSIONS = 100
"""Sessions that an account has at once; the oldest give way to a new one."""

_KEY_BYTES = 32
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")


def open_session(session: Session, account: Account, life: dt.timedelta) -> str:
    """Begin a session and return its key, which is not kept; sessions that are over are forgotten."""
    now = utc_now()
    session.execute(delete(LoginSession).where(LoginSession.expires_at <= now))
    newest = select(LoginSession.id).where(LoginSession.user_id == account.id).order_by(LoginSession.id.desc())
    surplus = list(session.scalars(newest.offset(MAX_SESSIONS - 1)))
    if surplus:
        session.execute(delete(LoginSession).where(LoginSession.id.in_(surplus)))
    key = secrets.token_urlsafe(_KEY_BYTES)
    session.add(LoginSession(user_id=account.id, digest=_digest(key), created_at=now, expires_at=now + life))
    session.flush()
    return key


def find_by_session(session: Session, key: str) -> Account | None:
    """Return whose session this is; None if it is nobody's, over, or of an account that was switched off."""
    if not _KEY.fullmatch(key):
        return None
    digest = _digest(key)
    found = session.execute(
        select(LoginSession, User).join(User, User.id == LoginSession.user_id).where(LoginSession.digest == digest)
    )
    row = found.one_or_none()
    if row is None or not hmac.compare_digest(row[0].digest, digest):
        return None
    opened, user = row
    return account_of(user) if user.is_active and opened.expires_at > utc_now() else None


def close_session(session: Session, key: str) -> None:
    """End a session; that there is none is no error."""
    session.execute(delete(LoginSession).where(LoginSession.digest == _digest(key)))


def end_session(session: Session, session_id: int) -> bool:
    """End one session; False if there is none of that id."""
    if not 0 <= session_id <= MAX_ID:
        return False
    ended = session.execute(delete(LoginSession).where(LoginSession.id == session_id).returning(LoginSession.id))
    return ended.scalar_one_or_none() is not None


def end_sessions(session: Session, user_id: int) -> None:
    """End all sessions of an account."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def csrf_token(key: str) -> str:
    """Return what a form must carry beside the session's cookie: only who knows the key can make it.

    A signed double submit: a cookie that a neighbouring domain planted in the browser is worth nothing.
    """
    return hmac.new(key.encode("utf-8", "replace"), b"fitsvault csrf", hashlib.sha256).hexdigest()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
