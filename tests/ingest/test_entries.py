"""What was seen before another settled the object is never written over what he wrote."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import shared.ingest.service as service
from shared.errors import OvertakenError
from shared.index.knowledge import KnownObject
from shared.index.record import FailureRecord
from shared.ingest.derive import Reading, read_frame
from shared.ingest.forget import forget_object
from shared.settings import Settings
from shared.simulator import simulate_frame
from shared.store.fetch import FetchedObject, fetched
from shared.store.model import ObjectState
from shared.store.naming import derived_keys
from tests.ingest.conftest import Room

KEY = "a.fits"
FRAME = simulate_frame(OBJECT="M 51").data
OTHER = simulate_frame(OBJECT="M 67").data


def reading_of(room: Room) -> tuple[KnownObject, Reading]:
    """Look at the object and read it, as ingest does before it writes."""
    known = room.ingester.entries.known(KEY)
    state = room.store.head(room.settings.bucket, KEY)
    with fetched(room.store, state, room.settings.work_dir) as object_:
        return known, read_frame(state, object_, room.settings)


def failure_of(room: Room) -> FailureRecord:
    return FailureRecord(
        bucket=room.settings.bucket,
        key=KEY,
        version_id=None,
        etag="of-an-older-object",
        size=1,
        kind="truncated",
        message="ends after 1 byte",
    )


def overwrite(room: Room) -> None:
    room.put(KEY, OTHER)
    assert room.settle(KEY) == "indexed"


def break_it(room: Room) -> None:
    room.put(KEY, b"junk")
    assert room.settle(KEY) == "failed"


def delete(room: Room) -> None:
    room.delete(KEY)
    assert room.settle(KEY) == "removed"


@pytest.mark.parametrize(
    ("overtake", "is_known"),
    [(overwrite, False), (overwrite, True), (break_it, False), (break_it, True), (delete, True)],
)
def test_an_older_object_is_not_written_over_a_newer_one(
    room_on_each: Room, overtake: Callable[[Room], None], is_known: bool
) -> None:
    room = room_on_each
    room.put(KEY, FRAME)
    if is_known:
        room.settle(KEY)
    known, reading = reading_of(room)
    overtake(room)
    derived, failure = room.derived(), room.failure(KEY)
    for object_ in reading.derived:
        room.store.write_bytes(room.settings.derived_bucket, object_.key, object_.data, object_.content_type)
    with pytest.raises(OvertakenError, match=KEY):
        room.ingester.entries.put(reading.record, known)
    with pytest.raises(OvertakenError):
        room.ingester.entries.fail(failure_of(room), known)
    with pytest.raises(OvertakenError):
        room.ingester.entries.remove(KEY, known)
    frame = room.frame(KEY)
    assert (frame.object_name if frame else None) == ("M 67" if overtake is overwrite else None)
    assert (room.failure(KEY) is None) == (failure is None) == (overtake is not break_it)
    assert room.derived() == derived


def test_another_who_wrote_the_same_is_no_matter(room: Room) -> None:
    room.put(KEY, FRAME)
    known, reading = reading_of(room)
    room.settle(KEY)
    before = room.frame(KEY)
    assert before is not None
    assert room.ingester.entries.put(reading.record, known) == before.id
    assert set(derived_keys(before.digest)) > room.derived() != set()


def test_an_ingest_that_was_overtaken_looks_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reads an object slowly; it is replaced and indexed meanwhile; the slow one ends with the newer object."""
    begun, go_on = threading.Event(), threading.Event()
    slow = room.another_ingester()
    slow_thread: list[int] = []

    def read_slowly(state: ObjectState, object_: FetchedObject, settings: Settings) -> Reading:
        reading = read_frame(state, object_, settings)
        if threading.get_ident() in slow_thread and not begun.is_set():
            begun.set()
            assert go_on.wait(60)
        return reading

    def settle_slowly() -> str:
        slow_thread.append(threading.get_ident())
        return slow.settle(room.settings.bucket, KEY).value

    monkeypatch.setattr(service, "read_frame", read_slowly)
    room.put(KEY, FRAME)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(settle_slowly)
        assert begun.wait(60)
        overwrite(room)
        newer = room.frame(KEY)
        go_on.set()
        assert outcome.result(60) == "unchanged"
    frame = room.frame(KEY)
    assert frame is not None
    assert newer is not None
    assert (frame.object_name, frame.updated_at) == ("M 67", newer.updated_at)
    assert room.derived() < set(derived_keys(frame.digest))


def test_what_is_there_again_is_not_forgotten(room: Room) -> None:
    room.put(KEY, FRAME)
    room.settle(KEY)
    assert not forget_object(room.settings, room.store, room.sessions, KEY)
    assert room.frame(KEY) is not None
    room.delete(KEY)
    assert forget_object(room.settings, room.store, room.sessions, KEY)
    assert room.frame(KEY) is None
    assert room.derived() == set()
