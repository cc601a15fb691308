"""One process of the local archive: started, watched, stopped, its output kept in a file."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx

from localstack.state import StartError

__all__ = ["Child"]

_MAX_LOG_BYTES = 10 << 20
_PR_SET_PDEATHSIG = 1
_LATELY = 120.0
_LONGEST_WAIT = 30.0


class Child:
    """A process in a session of its own, so that Ctrl-C reaches only us and we stop it in order.

    It does not outlive us for long, even where we are killed (on Linux; elsewhere a killed archive leaves its parts
    running). A file ``held`` stays open, and so locked, as long as it lives.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        held: int | None = None,
    ) -> None:
        self.name = name
        self._command = command
        self._env = env
        self._cwd = cwd
        self.log = log
        self._held = held
        self._process: subprocess.Popen[bytes] | None = None
        self._starts: list[float] = []

    def start(self) -> None:
        """Start the process."""
        self._starts = [*self._starts[-9:], time.monotonic()]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the command is our own
                self._command,
                env=dict(self._env),
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if self._held is None else (self._held,),
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 - we are single-threaded where we start processes
            )

    def is_running(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def may_start(self) -> bool:
        """Tell whether it is time to start it again: the more often it has ended lately, the longer we wait."""
        lately = [start for start in self._starts if start > time.monotonic() - _LATELY]
        wait = min(2.0 ** (len(lately) - 2), _LONGEST_WAIT) if lately else 0.0
        return not lately or time.monotonic() >= lately[-1] + wait

    def stop(self, seconds: float = 10.0) -> None:
        """Ask the process to end, and end it if it does not in time."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait_for(self, url: str, seconds: float = 60.0) -> None:
        """Wait until the address answers 2xx; StartError if the process ends before, or the time is over."""
        deadline = time.monotonic() + seconds
        with httpx.Client(timeout=2, trust_env=False) as client:  # to make one costs more than to ask a hundred times
            while time.monotonic() < deadline:
                if not self.is_running():
                    raise StartError(f"{self.name} ended at its start; the end of {self.log}:\n{self.last_words()}")
                with suppress(httpx.TransportError):
                    if client.get(url).is_success:
                        return
                time.sleep(0.05)
        raise StartError(f"{self.name} does not answer at {url}; see {self.log}")

    def last_words(self, lines: int = 15) -> str:
        """Return the end of what it wrote."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 8192))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def _die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask_kernel
