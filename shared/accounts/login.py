"""Logging in: a name and a password, watched for guessing, for whatever is granted then."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts.account import Account, account_of
from shared.accounts.models import User
from shared.accounts.service import verified_user
from shared.accounts.throttle import admit, forgive
from shared.database import write
from shared.errors import BadCredentialsError

__all__ = ["log_in"]

T = TypeVar("T")
_ROUNDS = 3


def log_in(
    sessions: sessionmaker[Session],
    username: str,
    password: str,
    *,
    address: str | None,
    grant: Callable[[Session, Account], T],
) -> T:
    """Check a password and return what ``grant`` makes for its account.

    The grant is made in a transaction that has seen the account with the very password that was checked, so that
    a change of the password or a switch-off in between leaves nothing behind.

    Raises
    ------
    TooManyAttemptsError
        Too many wrong passwords came for this name or from this address.
    BadCredentialsError
        No active account has this name and password.
    """
    with write(sessions) as session:
        admit(session, username, address)
    for _ in range(_ROUNDS):
        user = verified_user(sessions, username, password)
        with write(sessions) as session:
            now = session.execute(select(User.password_hash, User.is_active).where(User.id == user.id)).one_or_none()
            if now is not None and now.is_active and now.password_hash == user.password_hash:
                forgive(session, username, address)
                return grant(session, account_of(user))
    raise BadCredentialsError
