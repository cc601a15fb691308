"""Tokens: keys that clients send instead of a password."""

import datetime as dt
import hashlib
import hmac
import re
import secrets

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from shared.accounts.account import Account, account_of
from shared.accounts.models import MAX_ID, MAX_TOKEN_NAME, Token, User
from shared.database import utc_now
from shared.errors import BadTokenError, InactiveAccountError

__all__ = ["MAX_TOKENS", "find_by_token", "issue_token", "list_tokens", "record_use", "revoke_token", "used_lately"]

MAX_TOKENS = 100
"""Tokens that an account keeps; the one that was not used for longest gives way to a new one."""

_KEY = re.compile(r"[0-9a-f]{40}")
_KEY_BYTES = 20
_USE_RESOLUTION = dt.timedelta(hours=1)


def issue_token(session: Session, account: Account, name: str) -> str:
    """Make a token and return its key of 40 hexadecimal digits, which is not kept and cannot be shown again."""
    _make_room(session, account.id)
    key = secrets.token_hex(_KEY_BYTES)
    session.add(
        Token(
            user_id=account.id,
            digest=_digest(key),
            name=name[:MAX_TOKEN_NAME],
            created_at=utc_now(),
            last_used=None,
        )
    )
    session.flush()
    return key


def find_by_token(session: Session, key: str) -> tuple[Account, Token]:
    """Return whose key this is.

    Raises
    ------
    BadTokenError
        Nobody's.
    InactiveAccountError
        The account was switched off.
    """
    if not _KEY.fullmatch(key):
        raise BadTokenError
    digest = _digest(key)
    found = session.execute(select(Token, User).join(User, User.id == Token.user_id).where(Token.digest == digest))
    row = found.one_or_none()
    if row is None or not hmac.compare_digest(row[0].digest, digest):
        raise BadTokenError
    token, user = row
    if not user.is_active:
        raise InactiveAccountError
    return account_of(user), token


def used_lately(token: Token) -> bool:
    """Return whether the token's last use is known to the hour, so that it need not be written down again."""
    return token.last_used is not None and utc_now() - token.last_used < _USE_RESOLUTION


def record_use(session: Session, token: Token) -> None:
    """Write down that the token was used now."""
    session.execute(update(Token).where(Token.id == token.id).values(last_used=utc_now()))


def list_tokens(session: Session, user: User) -> list[Token]:
    """Return the account's tokens, oldest first; their keys are known to nobody."""
    return list(session.scalars(select(Token).where(Token.user_id == user.id).order_by(Token.id)))


def revoke_token(session: Session, token_id: int) -> bool:
    """Delete a token; False if there is none of that id."""
    if not 0 <= token_id <= MAX_ID:
        return False
    revoked = session.execute(delete(Token).where(Token.id == token_id).returning(Token.id))
    return revoked.scalar_one_or_none() is not None


def _make_room(session: Session, user_id: int) -> None:
    by_use = func.coalesce(Token.last_used, Token.created_at).desc()
    newest = select(Token.id).where(Token.user_id == user_id).order_by(by_use, Token.id.desc())
    surplus = list(session.scalars(newest.offset(MAX_TOKENS - 1)))
    if surplus:
        session.execute(delete(Token).where(Token.id.in_(surplus)))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
