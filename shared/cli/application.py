"""What all commands share: the application, the settings, and how one fails."""

from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from shared.settings import Settings, settings

__all__ = ["app", "errors", "fail", "given_settings"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="An archive for FITS images in a bucket. Settings come from FITSVAULT_… variables or a file .env.",
)
errors = Console(stderr=True, highlight=False)


def given_settings() -> Settings:
    """Return the settings; a bad one is named and ends the command."""
    try:
        return settings()
    except ValidationError as error:
        fail("; ".join(f"FITSVAULT_{str(p['loc'][0]).upper()}: {p['msg']}" for p in error.errors()))


def fail(reason: str) -> NoReturn:
    """End the command with exit code 1 and a reason."""
    errors.print(f"fitsvault: {reason}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1)
