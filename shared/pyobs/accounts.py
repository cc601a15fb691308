"""Accounts and tokens of a pyobs-archive, taken over once: what is changed here afterwards stays as it is."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts.account import Role
from shared.accounts.models import AccountImport, Token, User
from shared.accounts.pbkdf2 import Pbkdf2Hash
from shared.accounts.service import find_user, is_username
from shared.database import utc_now, write
from shared.pyobs.model import PyobsUser

__all__ = ["AccountFate", "AccountOutcome", "import_accounts", "kept_hash"]

_KEY = re.compile(r"[0-9a-f]{40}")
_ORIGIN = "pyobs-archive"
_UNUSABLE = "!"


class AccountFate(StrEnum):
    """What became of an account."""

    MADE = "made"
    LOCKED = "made, with a password that must be set anew"
    JOINED = "joined with the account of that name"
    LEFT = "left alone"
    THERE = "taken over before"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOutcome:
    """What became of an account, how many of its tokens came along, and why if there is something to say."""

    username: str
    fate: AccountFate
    tokens: int = 0
    reason: str = ""


def kept_hash(encoded: str) -> str | None:
    """Return the hash that a password of Django goes on working with; None if it cannot be checked here.

    >>> kept_hash("argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$aGFzaA")
    '$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$aGFzaA'
    >>> kept_hash("bcrypt_sha256$$2b$12$salt") is None
    True
    """
    if Pbkdf2Hash.from_string(encoded) is not None:
        return encoded
    if encoded.startswith("argon2$argon2"):
        return encoded.removeprefix("argon2")
    return None


def import_accounts(
    sessions: sessionmaker[Session], users: Iterable[PyobsUser], *, dry_run: bool = False
) -> Iterator[AccountOutcome]:
    """Take over accounts, each with its tokens in one transaction, and yield what became of them.

    An account of that name that is here already keeps its password and its role, and gets the tokens; unless the
    tokens would let in somebody who may less, or nothing any more.
    """
    for user in users:
        with write(sessions) as session:
            outcome = _import_account(session, user)
            if dry_run:
                session.rollback()
        yield outcome


def _import_account(session: Session, user: PyobsUser) -> AccountOutcome:
    if not is_username(user.username):
        return AccountOutcome(username=user.username, fate=AccountFate.REFUSED, reason="no user name here")
    item = f"user:{user.username}"
    is_known = session.get(AccountImport, item) is not None
    found = find_user(session, user.username)
    if found is None and is_known:
        return AccountOutcome(username=user.username, fate=AccountFate.THERE, reason="deleted here since")
    fate = AccountFate.THERE if is_known else AccountFate.JOINED
    if found is None:
        fate, found = _make(session, user)
    elif not (found.is_active and user.is_active and _role(user) >= _role(found)):
        is_as_it_was = is_known and (found.is_active, _role(found)) == (user.is_active, _role(user))
        reason = "" if is_as_it_was else "the account here may do more, or one of the two is switched off"
        return AccountOutcome(username=user.username, fate=fate if is_known else AccountFate.LEFT, reason=reason)
    _remember(session, item)
    tokens = [(key, created) for key, created in user.tokens if _KEY.fullmatch(key)]
    others = len(user.tokens) - len(tokens)
    return AccountOutcome(
        username=user.username,
        fate=fate,
        tokens=_add_tokens(session, found, tokens),
        reason=f"{others} of its tokens are none of 40 hexadecimal digits" if others else "",
    )


def _make(session: Session, user: PyobsUser) -> tuple[AccountFate, User]:
    encoded = kept_hash(user.password)
    made = User(
        username=user.username,
        password_hash=encoded or _UNUSABLE,
        is_staff=user.is_staff or user.is_superuser,
        is_superuser=user.is_superuser,
        is_active=user.is_active,
        created_at=user.date_joined,
        last_login=user.last_login,
    )
    session.add(made)
    session.flush()
    return AccountFate.MADE if encoded else AccountFate.LOCKED, made


def _add_tokens(session: Session, owner: User, tokens: Iterable[tuple[str, dt.datetime]]) -> int:
    added = 0
    for key, created in tokens:
        digest = hashlib.sha256(key.encode()).hexdigest()
        item = f"token:{digest}"
        taken = session.scalar(select(Token.id).where(Token.digest == digest))
        if taken is not None or session.get(AccountImport, item) is not None:
            continue
        session.add(Token(user_id=owner.id, digest=digest, name=_ORIGIN, created_at=created, last_used=None))
        _remember(session, item)
        added += 1
    session.flush()
    return added


def _remember(session: Session, item: str) -> None:
    if session.get(AccountImport, item) is None:
        session.add(AccountImport(item=item, imported_at=utc_now()))


def _role(account: User | PyobsUser) -> Role:
    return Role.SUPERUSER if account.is_superuser else Role.STAFF if account.is_staff else Role.USER
