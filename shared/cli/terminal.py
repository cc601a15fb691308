"""What goes to the terminal: progress bars, and text of others made harmless."""

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from shared.cli.application import errors
from shared.cli.plain import harmless

__all__ = ["byte_bar", "count_bar", "harmless", "say"]


def byte_bar() -> Progress:
    """Return a progress bar that counts bytes, on stderr."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=errors,
    )


def count_bar() -> Progress:
    """Return a progress bar that counts things, on stderr; their number need not be known."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=errors
    )


def say(text: str, *, style: str | None = None) -> None:
    """Tell a person something on stderr, above a progress bar if there is one."""
    errors.print(harmless(text), style=style, markup=False, soft_wrap=True)
