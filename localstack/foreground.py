"""What a program in the foreground owes its terminal and its neighbours: one in a home, stopped by signals."""

import fcntl
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localstack.state import StartError

__all__ = ["lock_home", "stop_on_signals"]


@contextmanager
def lock_home(home: Path) -> Iterator[None]:
    """Hold the home folder for ourselves; StartError if another archive runs in it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StartError(f"another archive runs in {home}; set FITSVAULT_HOME for a second one") from error
        yield


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGTERM and SIGINT, also where a shell had us ignore the latter in the background."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
