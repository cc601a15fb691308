"""Which remote archive is asked, with which token; tokens of ``fitsvault login`` are kept in the user's own folder."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.application import ExitCode, app, errors, fail, given_settings
from shared.cli.remote import Remote
from shared.files import write_private
from shared.settings import Settings

__all__ = ["Token", "Url", "connected", "login", "logout"]

Url = Annotated[
    str | None,
    typer.Option(envvar="FITSVAULT_URL", help="Address of the archive. Unset: the one on this machine."),
]
Token = Annotated[
    str | None,
    typer.Option(envvar="FITSVAULT_TOKEN", help="Token. Unset: the one of `fitsvault login`.", show_envvar=True),
]


@app.command(epilog="Example: fitsvault login --url https://archive.example.org anna")
def login(
    username: Annotated[str | None, typer.Argument(help="User name; asked for if not given.")] = None,
    url: Url = None,
    from_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Get a token for a name and a password, and keep it for the commands that ask the archive."""
    address = _address(url)
    name = username or str(typer.prompt("User name", err=True))
    password = _password(from_stdin=from_stdin)
    with Remote(address, None) as remote:
        key = remote.log_in(name, password)
    _keep(_kept() | {remote.url: key})
    errors.print(f"logged in to {remote.url}; the token is in {_file()}", markup=False, soft_wrap=True)


@app.command(epilog="Example: fitsvault logout --url https://archive.example.org")
def logout(url: Url = None) -> None:
    """Forget the token of an archive. It stays valid there until it is revoked."""
    address = _address(url).rstrip("/")
    kept = _kept()
    if kept.pop(address, None) is None:
        fail(f"no token is kept for {address}")
    _keep(kept)


@contextmanager
def connected(url: str | None, token: str | None) -> Iterator[Remote]:
    """Connect to the archive that is meant, with the token that is given or kept."""
    address = _address(url)
    with Remote(address, token or _kept().get(address.rstrip("/"))) as remote:
        yield remote


def _address(url: str | None) -> str:
    address = url or _local_address(given_settings())
    return (
        address if "://" in address else fail(f"an address begins with https:// or http://: {address}", ExitCode.USAGE)
    )


def _local_address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - asked, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return typer.get_text_stream("stdin").readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, err=True))


def _file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base else Path.home() / ".config") / "fitsvault" / "tokens.json"


def _kept() -> dict[str, str]:
    """Return the kept tokens by address."""
    try:
        text = _file().read_text("utf-8")
    except FileNotFoundError:
        return {}
    try:
        kept = json.loads(text)
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        fail(f"{_file()} is damaged; remove it and log in again")
    return {str(address): str(key) for address, key in kept.items()}


def _keep(tokens: dict[str, str]) -> None:
    _file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(_file(), json.dumps(tokens, indent=1) + "\n")
