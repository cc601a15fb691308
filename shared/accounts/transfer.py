"""Accounts as JSON lines, to take them to another archive or to keep them: a line for each account.

A line holds a password's hash and the digests of tokens, never a password or a key. What is there already stays as
it is, so that an import can be repeated, and does not undo what was changed since.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.accounts.models import MAX_TOKEN_NAME, Token, User
from shared.accounts.service import find_user, is_username, list_users
from shared.accounts.tokens import list_tokens
from shared.errors import BadAccountError

__all__ = ["AccountLine", "Imported", "TokenLine", "export_accounts", "import_accounts", "parse_accounts"]


def _checked_name(name: str) -> str:
    if not is_username(name):
        raise ValueError("no account can have this name")
    return name


def _naive_utc(moment: dt.datetime) -> dt.datetime:
    try:
        return moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise ValueError("no such time") from error


Name = Annotated[str, AfterValidator(_checked_name)]
Moment = Annotated[dt.datetime, AfterValidator(_naive_utc)]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TokenLine(_Line):
    """A token: the SHA-256 of its key. Times are naive UTC."""

    digest: Hex
    name: Annotated[Text, Field(max_length=MAX_TOKEN_NAME)]
    created_at: Moment
    last_used: Moment | None = None


class AccountLine(_Line):
    """An account with all of its tokens. Times are naive UTC."""

    username: Name
    password_hash: Annotated[Text, Field(max_length=255)]
    is_staff: bool
    is_superuser: bool
    is_active: bool
    created_at: Moment
    last_login: Moment | None = None
    tokens: tuple[TokenLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """How many accounts and tokens are new, and the names of the accounts that were there already."""

    accounts: int
    tokens: int
    kept: tuple[str, ...]


def export_accounts(session: Session) -> Iterator[str]:
    """Yield a line for each account, by name."""
    for user in list_users(session):
        tokens = (TokenLine.model_validate(token, from_attributes=True) for token in list_tokens(session, user))
        line = AccountLine(
            username=user.username,
            password_hash=user.password_hash,
            is_staff=user.is_staff,
            is_superuser=user.is_superuser,
            is_active=user.is_active,
            created_at=user.created_at,
            last_login=user.last_login,
            tokens=tuple(tokens),
        )
        yield line.model_dump_json() + "\n"


def parse_accounts(lines: Iterable[str]) -> list[AccountLine]:
    """Read all lines before any of them is used; empty ones are skipped.

    Raises
    ------
    BadAccountError
        A line is none of an account; its number is told, and nothing of what it holds.
    """
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(AccountLine.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BadAccountError(f"Line {number} is no account: {where or 'JSON'}: {first['msg']}") from None
    return found


def import_accounts(session: Session, lines: Sequence[AccountLine]) -> Imported:
    """Make the accounts and tokens that are missing. Needs a transaction that writes.

    Raises
    ------
    BadAccountError
        A token stands for another account here.
    """
    kept, accounts, tokens = [], 0, 0
    for line in lines:
        user = find_user(session, line.username)
        if user is None:
            user = User(**line.model_dump(exclude={"tokens"}))
            session.add(user)
            session.flush()
            accounts += 1
        else:
            kept.append(user.username)
        tokens += _import_tokens(session, user, line.tokens)
    return Imported(accounts, tokens, tuple(kept))


def _import_tokens(session: Session, user: User, lines: Sequence[TokenLine]) -> int:
    made = 0
    for line in lines:
        owner = session.scalar(select(Token.user_id).where(Token.digest == line.digest))
        if owner is None:
            session.add(Token(user_id=user.id, **line.model_dump()))
            session.flush()
            made += 1
        elif owner != user.id:
            raise BadAccountError(f"A token of {user.username} belongs to another account here.")
    return made
