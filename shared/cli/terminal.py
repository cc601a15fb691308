"""What goes to the terminal: progress bars, and text of others made harmless."""

import unicodedata

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

__all__ = ["byte_bar", "count_bar", "harmless", "say"]

_BLANK = str.maketrans("\t\n\r", "   ")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


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


def harmless(text: str) -> str:
    r"""Return text of a file, a key or a header as one line that cannot steer a terminal.

    >>> harmless("M\x1b[2J 51")
    'M\ufffd[2J 51'
    """
    return "".join(
        "\ufffd" if unicodedata.category(character) in _HIDDEN else character for character in text.translate(_BLANK)
    )


def say(text: str, *, style: str | None = None) -> None:
    """Tell a person something on stderr, above a progress bar if there is one."""
    errors.print(harmless(text), style=style, markup=False, soft_wrap=True)
