"""An ingester of its own: real store, real SQLite, buckets that no event is delivered from."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory, read
from shared.index.failures import find_failure
from shared.index.frames import find_object
from shared.index.models import Failure, Frame
from shared.ingest.service import Ingester
from shared.settings import Settings
from shared.store.client import Store
from shared.store.naming import object_digest
from tests.archive import RunningArchive
from tests.postgres import new_database
from tests.prepared import prepare


@dataclass(frozen=True)
class Room:
    """What a test of ingest works with."""

    settings: Settings
    store: Store
    sessions: sessionmaker[Session]
    ingester: Ingester

    @property
    def database_url(self) -> str:
        bind = self.sessions.kw["bind"]
        return str(bind.url)

    def put(self, key: str, data: bytes) -> None:
        self.store.write_bytes(self.settings.bucket, key, data, "application/fits")

    def delete(self, key: str) -> None:
        self.store.delete(self.settings.bucket, (key,))

    def settle(self, key: str, *, force: bool = False) -> str:
        return self.ingester.settle(self.settings.bucket, key, force=force).value

    def frame(self, key: str) -> Frame | None:
        with read(self.sessions) as session:
            found = find_object(session, self.settings.bucket, key)
            return session.get(Frame, found.id) if found else None

    def failure(self, key: str) -> Failure | None:
        with read(self.sessions) as session:
            return find_failure(session, self.settings.bucket, key)

    def derived(self, key: str | None = None) -> set[str]:
        """Return the keys of all derived objects, or of those of one object, for whatever state of it."""
        digest = object_digest(self.settings.bucket, key) if key is not None else ""
        prefix = f"frames/{digest[:2]}/{digest[2:4]}/{digest}/" if digest else ""
        return {found.key for found in self.store.walk(self.settings.derived_bucket, prefix=prefix)}

    def another_ingester(self) -> Ingester:
        return Ingester(self.settings, Store(self.settings), self.sessions)


@contextmanager
def rooms(archive: RunningArchive, folder: Path) -> Iterator[Callable[..., Room]]:
    """Give a function that makes rooms, and clear them away at the end of the block."""
    engines: list[Engine] = []
    stores: list[tuple[Store, Settings]] = []

    def make(server: str | None = None) -> Room:
        name = f"room-{uuid.uuid4().hex[:12]}"
        settings = archive.settings.model_copy(
            update={"bucket": name, "derived_bucket": f"{name}-derived", "work_dir": folder / "work"}
        )
        store = Store(settings)
        stores.append((store, settings))
        store.ensure_bucket(settings.bucket)
        store.ensure_bucket(settings.derived_bucket)
        url = f"sqlite:///{folder / name}.sqlite" if server is None else new_database(server, name.replace("-", "_"))
        engine = make_engine(url)
        engines.append(engine)
        prepare(engine)
        sessions = make_session_factory(engine)
        return Room(settings, store, sessions, Ingester(settings, store, sessions))

    yield make
    for engine in engines:
        engine.dispose()
    for store, settings in stores:
        _drop(store, settings.bucket)
        _drop(store, settings.derived_bucket)
        store.s3.close()


def _drop(store: Store, bucket: str) -> None:
    """Delete a bucket: each takes volumes of the embedded store, which are not without number."""
    store.delete(bucket, tuple(found.key for found in store.walk(bucket)))
    store.s3.delete_bucket(Bucket=bucket)


@pytest.fixture
def make_room(archive: RunningArchive, tmp_path: Path) -> Iterator[Callable[..., Room]]:
    with rooms(archive, tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def common_room(archive: RunningArchive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """One room for all tests of a module, which use keys of their own in it."""
    with rooms(archive, tmp_path_factory.mktemp("room")) as make:
        yield make()


@pytest.fixture
def room(make_room: Callable[..., Room]) -> Room:
    return make_room()


@pytest.fixture(params=["sqlite", "postgresql"])
def room_on_each(make_room: Callable[..., Room], request: pytest.FixtureRequest) -> Room:
    """A room for tests of what databases do differently: locks and conflicts."""
    return make_room(request.getfixturevalue("postgres") if request.param == "postgresql" else None)
