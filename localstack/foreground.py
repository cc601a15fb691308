"""What a program in the foreground owes its terminal and its neighbours: one in a home, stopped by signals."""

import fcntl
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from localstack.state import StartError

__all__ = ["lock_home", "stop_on_signals"]

_PATIENCE = 60.0
_LOOK = 0.1


@contextmanager
def lock_home(home: Path, tell: Callable[[str], None], patience: float = _PATIENCE) -> Iterator[int]:
    """Hold the home folder for ourselves, and yield a file for its parts to hold, too.

    Where an archive was killed, its parts end a while later: a store writes down what it has. They are waited for.

    Raises
    ------
    StartError
        Another archive runs in it, or parts of one that was killed do not end within ``patience`` seconds.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as ours, (home / "lock.parts").open("w") as of_parts:
        if not _try_lock(ours):
            raise StartError(f"another archive runs in {home}; set FITSVAULT_HOME for a second one")
        deadline, told = time.monotonic() + patience, False
        while not _try_lock(of_parts):
            if time.monotonic() > deadline:
                raise StartError(f"parts of an archive that was killed still run in {home}: end them, see `ps`")
            if not told:
                tell(f"an archive was killed in {home}, and its parts are just ending: waiting up to {patience:.0f} s")
                told = True
            time.sleep(_LOOK)
        yield of_parts.fileno()


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


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
