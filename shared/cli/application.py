"""What all commands share: the application, the settings, and how one fails."""

import errno
from enum import IntEnum
from typing import Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from typer.core import TyperGroup

from shared.cli.plain import harmless
from shared.database import words_of
from shared.errors import (
    FitsvaultError,
    NoStoreKeysError,
    RemoteRefusedError,
    RemoteUnavailableError,
    StoreUnavailableError,
)
from shared.settings import Settings, problems, settings

__all__ = ["ExitCode", "app", "code_of", "errors", "fail", "given_settings", "reason_of"]


class ExitCode(IntEnum):
    """What a command says to the script that ran it."""

    DONE = 0
    NOT_ALL = 1
    USAGE = 2
    AWAY = 3
    REFUSED = 4
    INTERRUPTED = 130


_AWAY = (StoreUnavailableError, RemoteUnavailableError, OperationalError, InterfaceError)
_EXPECTED = (FitsvaultError, DBAPIError, ArgumentError, OSError)

errors = Console(stderr=True, highlight=False)


class _Commands(TyperGroup):
    """All commands; whatever one of them cannot cope with ends it with a reason and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            errors.print("fitsvault: interrupted", style="yellow")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except _EXPECTED as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise
            fail(reason_of(error), code_of(error))


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="An archive for FITS images in a bucket. Settings come from FITSVAULT_… variables or a file .env.",
    epilog="Exit codes: 0 done, 1 not or not wholly done, 2 wrong usage, 3 away: try again later, 4 not allowed, "
    "130 interrupted.",
)


def given_settings() -> Settings:
    """Return the settings; a bad one is named and ends the command."""
    try:
        return settings()
    except ValidationError as error:
        fail("; ".join(problems(error)), ExitCode.USAGE)


def fail(reason: str, code: ExitCode = ExitCode.NOT_ALL) -> NoReturn:
    """End the command with a reason and an exit code."""
    errors.print(f"fitsvault: {harmless(reason)}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def reason_of(error: Exception) -> str:
    """Return what an operator is told of ``error``; never the statement or its parameters."""
    if isinstance(error, DBAPIError):
        reason = words_of(error)
        if "no such table" in reason or "does not exist" in reason:
            reason += "; `fitsvault db upgrade` makes its tables"
        return f"the index cannot be used: {reason}"
    return str(error) or type(error).__name__


def code_of(error: Exception) -> ExitCode:
    """Return the exit code of a command that ``error`` ends."""
    if isinstance(error, RemoteRefusedError):
        return ExitCode.REFUSED
    if isinstance(error, NoStoreKeysError):
        return ExitCode.USAGE
    return ExitCode.AWAY if isinstance(error, _AWAY) else ExitCode.NOT_ALL
