"""A worker is killed before and after each of its writes; the event comes again, and nothing is left to repair."""

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from sqlalchemy import func, select

from functions.ingest.handler import handle
from shared.database import read
from shared.index.models import Attempt, Failure, Frame, Superseded
from shared.simulator import simulate_frame
from shared.store.naming import CATALOG, derived_key, derived_keys
from tests.ingest.conftest import Room
from tests.ingest.killing import Point, handle_and_die

FRAME = simulate_frame(OBJECT="M 51").data
OTHER = simulate_frame(OBJECT="M 67").data
BROKEN = FRAME[: len(FRAME) // 2]


def new(room: Room, key: str) -> bytes | None:
    room.put(key, FRAME)
    return FRAME


def replaced(room: Room, key: str) -> bytes | None:
    new(room, key)
    room.settle(key)
    room.put(key, OTHER)
    return OTHER


def broken(room: Room, key: str) -> bytes | None:
    room.put(key, BROKEN)
    return BROKEN


def replaced_by_a_broken_one(room: Room, key: str) -> bytes | None:
    replaced(room, key)
    room.settle(key)
    return broken(room, key)


def mended(room: Room, key: str) -> bytes | None:
    broken(room, key)
    room.settle(key)
    return new(room, key)


def deleted(room: Room, key: str) -> bytes | None:
    new(room, key)
    room.settle(key)
    room.delete(key)
    return None


def around(where: str, *calls: int) -> list[Point]:
    return [Point(where, when, call) for call in calls or (1,) for when in ("before", "after")]


WRITING = [*around("derived object", 1, 3), *around("frame row"), *around("transaction"), *around("acknowledgement")]
DELETING = [*around("derived deletion"), *around("note of deletion")]
FAILING = [*around("failure record"), *around("transaction"), *around("acknowledgement")]

Case = Callable[[Room, str], bytes | None]

CASES: list[tuple[Case, Point]] = [
    *((new, point) for point in WRITING),
    *((replaced, point) for point in WRITING + DELETING),
    *((broken, point) for point in FAILING),
    *((replaced_by_a_broken_one, point) for point in [*around("frame row removal"), *FAILING, *DELETING]),
    *((mended, point) for point in around("frame row")),
    *((deleted, point) for point in [*around("frame row removal"), *around("transaction"), *DELETING]),
]


def event_of(room: Room, key: str) -> dict[str, Any]:
    names = {"bucket": {"name": room.settings.bucket}, "object": {"key": quote_plus(key)}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": names}]}


def die(room: Room, key: str, point: Point) -> int | None:
    return handle_and_die(room.settings, str(room.sessions.kw["bind"].url), event_of(room, key), point)


def count(room: Room, key: str, table: type[Frame | Failure | Attempt | Superseded]) -> int:
    with read(room.sessions) as session:
        return session.scalar(select(func.count()).select_from(table).where(table.key == key)) or 0


@pytest.mark.parametrize(("case", "point"), CASES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_redelivery_repairs(common_room: Room, case: Case, point: Point) -> None:
    room, key = common_room, f"{case.__name__}/{point} +.fits"
    content = case(room, key)
    before = room.frame(key)
    assert die(room, key, point) == -9
    frame = room.frame(key)
    written = {hashlib.sha256(content).hexdigest() if content else None, before.sha256 if before else None, None}
    assert (frame.sha256 if frame else None) in written, "a row that was neither before nor is now"
    if frame is not None and frame.sha256 != (before.sha256 if before else None):
        assert room.derived(key) >= derived_of(frame), "a row whose previews are not there yet"

    handle(event_of(room, key), room.ingester, defers=True)

    frame = room.frame(key)
    assert (frame.sha256 if frame else None) == (
        None if content in (None, BROKEN) else hashlib.sha256(content or b"").hexdigest()
    )
    assert room.derived(key) == (derived_of(frame) if frame else set())
    failure = room.failure(key)
    assert (failure.kind if failure else None) == ("truncated" if content == BROKEN else None)
    tables = {table: count(room, key, table) for table in (Frame, Failure, Attempt, Superseded)}
    assert tables == {Frame: int(frame is not None), Failure: int(failure is not None), Attempt: 0, Superseded: 0}


@pytest.mark.parametrize("point", around("deferral"), ids=str)
def test_a_deferral_is_noted_or_made_again(common_room: Room, point: Point) -> None:
    room, key = common_room, f"deferral/{point}.fits"
    room.put(key, FRAME)
    settings = room.settings.model_copy(update={"derived_bucket": "no bucket"})
    url = str(room.sessions.kw["bind"].url)
    assert handle_and_die(settings, url, event_of(room, key), point) == -9
    assert room.failure(key) is None, "noted without a commit"
    handle(event_of(room, key), room.ingester, defers=True)
    assert room.frame(key) is not None
    assert room.failure(key) is None


def derived_of(frame: Frame) -> set[str]:
    return set(derived_keys(frame.digest)) - {derived_key(frame.digest, CATALOG)}
