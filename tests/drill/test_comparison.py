"""A proof that cannot fail proves nothing: each kind of difference, made on purpose, is found."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, update

from shared.database import write
from shared.index.models import Failure, Frame
from shared.simulator import simulate_frame
from shared.store.naming import HEADERS, PREVIEW_LARGE, PREVIEW_SMALL, derived_key
from tests.drill.comparison import Comparison, compare_all
from tests.ingest.conftest import Room

FRAME, OTHER, BROKEN = "a/frame.fits", "a/other.fits", "a/broken.fits"


def _compare(room: Room) -> Comparison:
    return compare_all(room.settings, room.store, room.sessions, judge=lambda data: data != b"junk")


def _digest(room: Room, key: str) -> str:
    frame = room.frame(key)
    assert frame is not None
    return frame.digest


def _put_derived(room: Room, name: str, change: Callable[[bytes], bytes]) -> None:
    key, bucket = derived_key(_digest(room, FRAME), name), room.settings.derived_bucket
    room.store.write_bytes(bucket, key, change(room.store.read_bytes(bucket, key, 1 << 20)), "image/png")


def _take_row(room: Room) -> None:
    with write(room.sessions) as session:
        session.execute(delete(Frame).where(Frame.key == FRAME))


def _take_failure(room: Room) -> None:
    with write(room.sessions) as session:
        session.execute(delete(Failure))


def _change_row(room: Room) -> None:
    with write(room.sessions) as session:
        session.execute(update(Frame).where(Frame.key == FRAME).values(object_name="another"))


def _swap_derived(room: Room) -> None:
    one, other = _digest(room, FRAME), _digest(room, OTHER)
    with write(room.sessions) as session:
        session.execute(update(Frame).where(Frame.key == FRAME).values(digest="x"))
        session.execute(update(Frame).where(Frame.key == OTHER).values(digest=one))
        session.execute(update(Frame).where(Frame.key == FRAME).values(digest=other))


def _blame(room: Room) -> None:
    frame = room.frame(FRAME)
    assert frame is not None
    with write(room.sessions) as session:
        session.execute(update(Failure).values(key=FRAME, etag=frame.etag, size=frame.size))
        session.execute(delete(Frame).where(Frame.key == FRAME))
    room.settle(BROKEN)


MISCHIEF: dict[str, tuple[Callable[[Room], object], set[str]]] = {
    "new object": (lambda room: room.put("new.fits", simulate_frame(number=3).data), {"missing"}),
    "object gone": (lambda room: room.delete(FRAME), {"phantom frame"}),
    "broken object gone": (lambda room: room.delete(BROKEN), {"phantom failure"}),
    "object replaced": (lambda room: room.put(FRAME, simulate_frame(number=4).data), {"stale frame"}),
    "object broken": (lambda room: room.put(FRAME, b"junk"), {"stale frame"}),
    "broken object mended": (lambda room: room.put(BROKEN, simulate_frame(number=5).data), {"stale failure"}),
    "row lost": (_take_row, {"missing", "derived orphan"}),
    "failure lost": (_take_failure, {"missing"}),
    "row changed": (_change_row, {"wrong row"}),
    "good object called broken": (_blame, {"wrong failure", "derived orphan"}),
    "preview cut": (lambda room: _put_derived(room, PREVIEW_SMALL, lambda data: data[:-40]), {"derived broken"}),
    "headers cut": (lambda room: _put_derived(room, HEADERS, lambda data: data[:-40]), {"derived broken"}),
    "headers of another": (
        lambda room: _put_derived(room, HEADERS, lambda data: data.replace(b"M 51", b"M 52")),
        {"derived stale"},
    ),
    "preview lost": (
        lambda room: room.store.delete(
            room.settings.derived_bucket, (derived_key(_digest(room, FRAME), PREVIEW_LARGE),)
        ),
        {"derived missing"},
    ),
    "derived objects exchanged": (_swap_derived, {"foreign derived objects", "derived stale"}),
}


@pytest.fixture
def settled(room: Room) -> Room:
    for number, (key, data) in enumerate(
        [(FRAME, simulate_frame(shape=(40, 50)).data), (OTHER, simulate_frame(number=2).data), (BROKEN, b"junk")]
    ):
        room.put(key, data)
        assert room.settle(key) == ("failed" if key == BROKEN else "indexed"), number
    return room


@pytest.mark.parametrize("name", MISCHIEF)
def test_each_difference_is_found(settled: Room, name: str) -> None:
    make, kinds = MISCHIEF[name]
    make(settled)
    assert set(_compare(settled).by_kind()) == kinds


def test_what_agrees_agrees(settled: Room) -> None:
    result = _compare(settled)
    assert result.differences == []
    assert (result.counts["objects"], result.counts["frames"], result.counts["failures"]) == (3, 2, 1)


def test_a_reader_that_errs_is_found_by_who_knows_better(settled: Room) -> None:
    result = compare_all(settled.settings, settled.store, settled.sessions, judge=lambda _: False)
    assert [found.key for found in result.differences] == [FRAME, OTHER]
