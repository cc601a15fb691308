"""An ingester of its own: real store, real SQLite, buckets that no event is delivered from."""

import uuid
from collections.abc import Callable, Iterator
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
from shared.migrations import upgrade
from shared.settings import Settings
from shared.store.client import Store
from tests.archive import RunningArchive
from tests.postgres import new_database


@dataclass(frozen=True)
class Room:
    """What a test of ingest works with."""

    settings: Settings
    store: Store
    sessions: sessionmaker[Session]
    ingester: Ingester

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

    def derived(self) -> set[str]:
        return {found.key for found in self.store.walk(self.settings.derived_bucket)}

    def another_ingester(self) -> Ingester:
        return Ingester(self.settings, Store(self.settings), self.sessions)


@pytest.fixture
def make_room(archive: RunningArchive, tmp_path: Path) -> Iterator[Callable[..., Room]]:
    engines: list[Engine] = []
    stores: list[tuple[Store, Settings]] = []

    def make(server: str | None = None) -> Room:
        name = f"room-{uuid.uuid4().hex[:12]}"
        settings = archive.settings.model_copy(
            update={"bucket": name, "derived_bucket": f"{name}-derived", "work_dir": tmp_path / "work"}
        )
        store = Store(settings)
        stores.append((store, settings))
        store.ensure_bucket(settings.bucket)
        store.ensure_bucket(settings.derived_bucket)
        url = f"sqlite:///{tmp_path / name}.sqlite" if server is None else new_database(server, name.replace("-", "_"))
        engine = make_engine(url)
        engines.append(engine)
        upgrade(engine)
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
def room(make_room: Callable[..., Room]) -> Room:
    return make_room()


@pytest.fixture(params=["sqlite", "postgresql"])
def room_on_each(make_room: Callable[..., Room], request: pytest.FixtureRequest) -> Room:
    """A room for tests of what databases do differently: locks and conflicts."""
    return make_room(request.getfixturevalue("postgres") if request.param == "postgresql" else None)
