"""A whole archive as `make run` starts it, for tests: its own home, its own ports."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from shared.settings import LOCAL_SETTINGS_FILE, Settings
from shared.store.client import Store

__all__ = ["ADMIN_PASSWORD", "RunningArchive", "StartedProcess", "running_archive", "wait_until"]

REPOSITORY = Path(__file__).resolve().parents[1]
ADMIN_PASSWORD = "correct horse battery"
_T = TypeVar("_T")
_PATIENCE = 90.0
_LONGEST_PAUSE = 0.1


def wait_until(what: str, probe: Callable[[], _T | None], seconds: float = _PATIENCE) -> _T:
    """Return the first true answer of ``probe``; fail when none comes in time."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(pause)
        pause = min(1.3 * pause, _LONGEST_PAUSE)  # who asks all the time keeps the others from what is waited for


class StartedProcess:
    """`python -m localstack` with its growing output."""

    def __init__(self, home: Path, extra: Mapping[str, str]) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FITSVAULT_")}
        self.lines: list[str] = []
        home.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "localstack"],
            cwd=home,
            env={
                **clean,
                "PYTHONPATH": str(REPOSITORY),
                "FITSVAULT_HOME": str(home),
                "FITSVAULT_PORT": "0",
                "FITSVAULT_S3_PORT": "0",
                "FITSVAULT_ADMIN_PASSWORD": ADMIN_PASSWORD,
                **extra,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.lines.extend(output)

    @property
    def output(self) -> str:
        """All that it has written up to now."""
        return "".join(self.lines)

    def wait_until_ready(self) -> None:
        """Return when it says that it is ready."""
        wait_until(
            "the archive is ready", lambda: "fitsvault ready: " in self.output or self.process.poll() is not None, 180
        )
        assert self.process.poll() is None, self.output

    def end(self, seconds: float = 60) -> int:
        """Wait for its end and return its exit code; its output is whole then."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(10)
        return code


class RunningArchive:
    """What a test needs of a running archive."""

    def __init__(self, home: Path, lines: list[str]) -> None:
        self.home = home
        self.lines = lines
        self.url = next(line.split()[-1] for line in lines if line.startswith("fitsvault ready: "))
        self.settings = Settings(_env_file=home / LOCAL_SETTINGS_FILE, home=home)
        self.store = Store(self.settings)
        self.s3 = self.store.s3
        self.bucket = self.settings.bucket
        self.derived = self.settings.derived_bucket
        self.token = self._log_in()
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Token {self.token}"}, timeout=60, trust_env=False
        )

    def _log_in(self) -> str:
        form = {"username": "admin", "password": ADMIN_PASSWORD}
        answer = httpx.post(f"{self.url}/api-token-auth/", data=form, timeout=60, trust_env=False)
        answer.raise_for_status()
        return str(answer.json()["token"])

    def close(self) -> None:
        """Let go of connections."""
        self.http.close()
        self.s3.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON answer of the API."""
        answer = self.http.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def frames(self, **parameters: Any) -> list[dict[str, Any]]:
        """Return all frames that the parameters leave, undated ones as well."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.get("/frames/", undated="true", offset=len(found), **parameters)
            found += page["results"]
            if len(found) >= page["count"] or not page["results"]:
                return found

    def frame_of(self, key: str) -> dict[str, Any] | None:
        """Return the frame that stands for the object, or None."""
        stem = key.rsplit("/", 1)[-1].split(".", maxsplit=1)[0]
        return next((frame for frame in self.frames(basename=stem) if frame["key"] == key), None)

    def wait_for_frame(self, key: str, seconds: float = _PATIENCE) -> dict[str, Any]:
        """Return the frame that stands for the object, as soon as it is there."""
        return wait_until(f"{key} is a frame", lambda: self.frame_of(key), seconds)

    def log(self, name: str) -> str:
        """Return what one of its processes has written."""
        return (self.home / "logs" / f"{name}.log").read_text(errors="replace")


@contextmanager
def running_archive(home: Path, extra: Mapping[str, str] = {}) -> Iterator[RunningArchive]:
    """Run an archive for the length of the block, and see that it stops in order."""
    started = StartedProcess(home, extra)
    try:
        started.wait_until_ready()
        archive = RunningArchive(home, started.lines)
        yield archive
        archive.close()
    finally:
        started.process.send_signal(signal.SIGTERM)
        started.end()
