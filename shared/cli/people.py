"""Commands for accounts and tokens: ``fitsvault user``, ``fitsvault token``."""

import datetime as dt
import sys
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from shared.accounts.account import Role, account_of
from shared.accounts.models import User
from shared.accounts.service import create_user, find_user, list_users, set_active, set_password
from shared.accounts.tokens import issue_token, list_tokens, revoke_token
from shared.cli.application import ExitCode, app, fail
from shared.cli.parts import opened_index
from shared.cli.tables import table_lines
from shared.cli.terminal import harmless
from shared.database import read, write

__all__ = ["token", "user"]

Name = Annotated[str, typer.Argument(help="User name.", show_default=False)]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
_ROLES = {"user": Role.USER, "staff": Role.STAFF, "superuser": Role.SUPERUSER}

user = typer.Typer(no_args_is_help=True, help="Accounts: add, list, passwd, deactivate, activate.")
token = typer.Typer(no_args_is_help=True, help="Tokens: new, list, revoke.")
app.add_typer(user, name="user")
app.add_typer(token, name="token")


@user.command("add", epilog="Example: fitsvault user add --role staff pipeline")
def add_user(
    name: Name,
    role: Annotated[str, typer.Option(help="user may read, staff may create and delete, superuser manages.")] = "user",
    from_stdin: FromStdin = False,
) -> None:
    """Make an account; its password is asked for."""
    if role not in _ROLES:
        fail(f"no such role: {role} (there are {', '.join(_ROLES)})", ExitCode.USAGE)
    password = _new_password(from_stdin=from_stdin)
    with opened_index() as sessions, write(sessions) as session:
        made = create_user(session, name, password, role=_ROLES[role])
    typer.echo(f"{made.username} is {_article(made.role)}")


@user.command("list", epilog="Example: fitsvault user list")
def show_users() -> None:
    """List all accounts."""
    with opened_index() as sessions, read(sessions) as session:
        rows = [
            [
                row.username,
                account_of(row).role.name.lower(),
                "active" if row.is_active else "inactive",
                str(len(list_tokens(session, row))),
                _moment(row.created_at),
                _moment(row.last_login),
            ]
            for row in list_users(session)
        ]
    for line in table_lines(["name", "role", "state", "tokens", "created", "last login"], rows):
        typer.echo(line)


@user.command("passwd", epilog="Example: fitsvault user passwd anna")
def change_password(name: Name, from_stdin: FromStdin = False) -> None:
    """Give an account another password. Its sessions end, its tokens stay."""
    with opened_index() as sessions:
        with read(sessions) as session:
            _find(session, name)
        password = _new_password(from_stdin=from_stdin)
        with write(sessions) as session:
            set_password(session, _find(session, name), password)
    typer.echo(f"{name} has another password")


@user.command("deactivate", epilog="Example: fitsvault user deactivate anna")
def deactivate_user(name: Name) -> None:
    """Switch an account off: it gets nothing, by password, session or token."""
    _switch(name, active=False)


@user.command("activate", epilog="Example: fitsvault user activate anna")
def activate_user(name: Name) -> None:
    """Switch an account on again."""
    _switch(name, active=True)


@token.command("new", epilog="Example: fitsvault token new pipeline --name night-upload")
def new_token(
    name: Name,
    label: Annotated[str, typer.Option("--name", help="What the token is for.")] = "command line",
) -> None:
    """Make a token and print its key, which is not kept and cannot be shown again."""
    with opened_index() as sessions, write(sessions) as session:
        owner = _find(session, name)
        if not owner.is_active:
            fail(f"{harmless(name)} is inactive")
        key = issue_token(session, account_of(owner), label)
    typer.echo(key)


@token.command("list", epilog="Example: fitsvault token list anna")
def show_tokens(
    name: Annotated[str | None, typer.Argument(help="Only of this account.", show_default=False)] = None,
) -> None:
    """List tokens; their keys are known to nobody."""
    with opened_index() as sessions, read(sessions) as session:
        owners = list_users(session) if name is None else [_find(session, name)]
        rows = [
            [str(row.id), owner.username, row.name, _moment(row.created_at), _moment(row.last_used)]
            for owner in owners
            for row in list_tokens(session, owner)
        ]
    for line in table_lines(["id", "account", "name", "created", "last used"], rows):
        typer.echo(line)


@token.command("revoke", epilog="Example: fitsvault token revoke 12 15 · fitsvault token revoke --all-of anna")
def revoke(
    ids: Annotated[list[int] | None, typer.Argument(help="Ids as `token list` shows them.", show_default=False)] = None,
    all_of: Annotated[str | None, typer.Option(help="All tokens of this account.")] = None,
) -> None:
    """Delete tokens; who sends them gets nothing from now on."""
    if bool(ids) == (all_of is not None):
        fail("give ids, or --all-of NAME", ExitCode.USAGE)
    with opened_index() as sessions, write(sessions) as session:
        wanted = ids or [row.id for row in list_tokens(session, _find(session, all_of or ""))]
        unknown = [number for number in wanted if not revoke_token(session, number)]
    typer.echo(f"{len(wanted) - len(unknown)} revoked")
    if unknown:
        fail(f"no token has the id {', '.join(map(str, unknown))}")


def _switch(name: str, *, active: bool) -> None:
    with opened_index() as sessions, write(sessions) as session:
        set_active(session, _find(session, name), active=active)
    typer.echo(f"{name} is {'active' if active else 'inactive'}")


def _find(session: Session, name: str) -> User:
    return find_user(session, name) or fail(f"no account has the name {harmless(name)}")


def _new_password(*, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        fail("no terminal to ask for the password: use --password-stdin", ExitCode.USAGE)
    return password or fail("no password given", ExitCode.USAGE)


def _article(role: Role) -> str:
    return f"a {role.name.lower()}" if role is not Role.STAFF else "staff"


def _moment(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else "never"
