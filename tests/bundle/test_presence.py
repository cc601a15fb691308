from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.bundle.presence import missing_objects
from shared.store.client import Store
from shared.store.model import ObjectState
from tests.archive import RunningArchive

BUCKET = "presence"

pytestmark = pytest.mark.archive


@pytest.fixture(scope="module")
def store(archive: RunningArchive) -> Store:
    archive.store.ensure_bucket(BUCKET)
    return archive.store


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


@pytest.fixture(scope="module")
def states(store: Store) -> list[ObjectState]:
    names = [f"many/{n:02}.fits" for n in range(20)] + [f"few/{n}" for n in range(3)] + ["many/deep/a", "top", "many/é"]
    for name in names:
        store.write_bytes(BUCKET, name, name.encode(), "application/fits")
    return [store.head(BUCKET, name) for name in reversed(names)]


def test_what_is_there_is_not_missing(store: Store, states: list[ObjectState], threads: ThreadPoolExecutor) -> None:
    assert missing_objects(store, states, threads) == []
    assert missing_objects(store, [], threads) == []


@pytest.mark.parametrize("name", ["many/00.fits", "many/07.fits", "many/19.fits", "few/1", "top", "many/é"])
def test_what_changed_or_vanished_is_missing(
    store: Store, states: list[ObjectState], threads: ThreadPoolExecutor, name: str
) -> None:
    before = next(state for state in states if state.key == name)
    store.write_bytes(BUCKET, name, b"another", "application/fits")
    assert missing_objects(store, states, threads) == [before]
    store.delete(BUCKET, (name,))
    assert missing_objects(store, states, threads) == [before]
    store.write_bytes(BUCKET, name, name.encode(), "application/fits")
    assert missing_objects(store, states, threads) == []


def test_a_folder_takes_one_request_for_all(
    store: Store, states: list[ObjectState], threads: ThreadPoolExecutor
) -> None:
    asked: list[str] = []

    def count(model: object, **_more: object) -> None:
        asked.append(str(getattr(model, "name", "")))

    events = store.s3.meta.events
    events.register("before-call.s3", count)
    try:
        missing_objects(store, [state for state in states if state.key.startswith("many/0")], threads)
    finally:
        events.unregister("before-call.s3", count)
    assert asked == ["ListObjectsV2"]
