"""The parts of the archive that a command works with, opened and closed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

from shared.cli.application import ExitCode, fail, given_settings
from shared.database import make_engine, make_session_factory
from shared.errors import NoStoreKeysError, ObjectGoneError, StoreError, StoreUnavailableError
from shared.settings import Settings
from shared.store.client import Store

if TYPE_CHECKING:
    from shared.ingest.reconcile import Reconciler
    from shared.ingest.service import Ingester

__all__ = ["Parts", "absent_file", "check_store", "opened", "opened_index", "opened_store"]


@dataclass(frozen=True, slots=True)
class Parts:
    """Store and index of the archive that the settings name."""

    settings: Settings
    store: Store
    sessions: sessionmaker[Session]

    @property
    def bucket(self) -> str:
        """The bucket of the frames."""
        return self.settings.bucket

    def ingester(self) -> "Ingester":
        """Return an ingester; it brings astropy, which other commands do without."""
        from shared.ingest.service import Ingester  # noqa: PLC0415

        return Ingester(self.settings, self.store, self.sessions)

    def reconciler(self) -> "Reconciler":
        """Return a reconciler."""
        from shared.ingest.reconcile import Reconciler  # noqa: PLC0415

        return Reconciler(self.settings, self.store, self.sessions, self.ingester())


@contextmanager
def opened() -> Iterator[Parts]:
    """Open store and index for the length of the block."""
    with opened_store() as (given, store), opened_index() as sessions:
        yield Parts(given, store, sessions)


@contextmanager
def opened_store() -> Iterator[tuple[Settings, Store]]:
    """Open the store for the length of the block."""
    given = given_settings()
    store = Store(given)
    try:
        yield given, store
    finally:
        store.s3.close()


def check_store(store: Store, bucket: str) -> None:
    """End the command if nothing can be written: once, and not with the same reason for every file.

    Keys that may write and nothing else are told so by the bucket; what it takes shows when it is written to.
    """
    try:
        store.check_bucket(bucket)
    except (StoreUnavailableError, NoStoreKeysError, ObjectGoneError):
        raise
    except StoreError:
        return


def absent_file(url: str) -> Path | None:
    """Return the file of an SQLite index that is not there; ArgumentError if this is no URL of a database."""
    parsed = make_url(url)
    path = Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None
    return path if path is not None and not path.exists() else None


@contextmanager
def opened_index(*, makes: bool = False) -> Iterator[sessionmaker[Session]]:
    """Open the index for the length of the block. An SQLite file that is not there is made only if it may be."""
    url = given_settings().effective_database_url
    try:
        if not makes and (path := absent_file(url)) is not None:
            fail(f"no index at {path}: set FITSVAULT_HOME, or start the archive once", ExitCode.USAGE)
        engine = make_engine(url, name="fitsvault-cli")
    except (ImportError, ValueError) as error:
        fail(f"FITSVAULT_DATABASE_URL: {error}", ExitCode.USAGE)
    try:
        yield make_session_factory(engine)
    finally:
        engine.dispose()
