"""What an object became is announced in the transaction that makes it so, once for each change and never without."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from shared.database import read, utc_now, write
from shared.errors import StoreError
from shared.index.models import Failure, OutboxMessage
from shared.ingest.forget import forget_object
from shared.ingest.patience import settle_or_defer
from shared.ingest.service import Ingester
from shared.simulator import simulate_frame
from shared.store.model import ObjectState
from tests.ingest.conftest import Room

FRAME = simulate_frame(OBJECT="M 51").data
OTHER = simulate_frame(OBJECT="M 67").data
BROKEN = FRAME[: len(FRAME) // 2]
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/frames"


@pytest.fixture
def announcing_room(room: Room) -> Room:
    settings = room.settings.model_copy(update={"notify_queue_url": QUEUE, "retry_attempts": 2})
    return replace(room, settings=settings, ingester=Ingester(settings, room.store, room.sessions))


def announced(room: Room) -> Sequence[OutboxMessage]:
    with read(room.sessions) as session:
        return session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()


def types(room: Room) -> list[str]:
    return [message.type for message in announced(room)]


def test_nothing_is_announced_to_nobody(room: Room) -> None:
    room.put("a.fits", FRAME)
    room.settle("a.fits")
    assert announced(room) == []


def test_a_life_of_an_object(announcing_room: Room) -> None:
    room = announcing_room
    room.put("night/a.fits.fz", FRAME)
    room.settle("night/a.fits.fz")
    first = room.frame("night/a.fits.fz")
    room.put("night/a.fits.fz", OTHER)
    room.settle("night/a.fits.fz")
    room.delete("night/a.fits.fz")
    room.settle("night/a.fits.fz")
    assert first is not None
    new, replaced, removed = (message.payload for message in announced(room))
    assert new["version"] == 1
    assert (new["type"], new["bucket"], new["key"]) == ("frame.indexed", room.settings.bucket, "night/a.fits.fz")
    assert (new["etag"], new["size"], new["replaced"], new["reason"]) == (first.etag, len(FRAME), False, None)
    assert (new["frame"]["id"], new["frame"]["basename"], new["frame"]["OBJECT"]) == (first.id, "a", "M 51")
    assert new["frame"]["sha256"] == first.sha256
    assert (replaced["type"], replaced["replaced"], replaced["frame"]["OBJECT"]) == ("frame.indexed", True, "M 67")
    assert replaced["frame"]["id"] == first.id
    assert (removed["type"], removed["frame"], removed["reason"]) == ("frame.removed", replaced["frame"], None)
    assert removed["etag"] == replaced["etag"] != new["etag"]
    assert dt.datetime.fromisoformat(new["time"]).tzinfo is not None
    assert len({message.event_id for message in announced(room)}) == 3
    assert all(message.payload["id"] == message.event_id for message in announced(room))


def test_what_changes_nothing_is_not_announced(announcing_room: Room) -> None:
    room = announcing_room
    room.put("a.fits", FRAME)
    room.put("b.fits", BROKEN)
    for force in (False, False, True):
        room.settle("a.fits", force=force)
        room.settle("b.fits", force=force)
    room.settle("never-was.fits")
    assert types(room) == ["frame.indexed", "object.failed"]


def test_a_frame_that_becomes_unreadable(announcing_room: Room) -> None:
    room = announcing_room
    room.put("a.fits", FRAME)
    room.settle("a.fits")
    room.put("a.fits", BROKEN)
    room.settle("a.fits")
    room.put("a.fits", OTHER)
    room.settle("a.fits")
    good, removed, failed, again = (message.payload for message in announced(room))
    assert [one["type"] for one in (removed, failed)] == ["frame.removed", "object.failed"]
    assert (removed["etag"], removed["frame"]) == (good["etag"], good["frame"])
    assert removed["reason"] == failed["reason"]
    failure = failed["reason"]
    assert failure["kind"] == "truncated"
    assert failure["message"]
    assert (failed["size"], failed["frame"]) == (len(BROKEN), None)
    assert (again["type"], again["replaced"]) == ("frame.indexed", False)


def test_a_failure_that_goes_needs_no_word(announcing_room: Room) -> None:
    room = announcing_room
    room.put("a.fits", BROKEN)
    room.settle("a.fits")
    room.delete("a.fits")
    room.settle("a.fits")
    assert types(room) == ["object.failed"]


def test_deletion_by_the_api_is_announced_as_well(announcing_room: Room) -> None:
    room = announcing_room
    room.put("a.fits", FRAME)
    room.settle("a.fits")
    room.delete("a.fits")
    forget_object(room.settings, room.store, room.sessions, "a.fits")
    assert types(room) == ["frame.indexed", "frame.removed"]


def test_what_may_pass_is_announced_when_it_is_given_up(announcing_room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room = announcing_room
    room.put("a.fits", FRAME)

    def refuse(bucket: str, key: str) -> ObjectState:
        raise StoreError(f"look at {bucket}/{key}: 403 AccessDenied")

    def attempt() -> str:
        with write(room.sessions) as session:
            session.execute(update(Failure).values(retry_at=utc_now()).where(Failure.retry_at.is_not(None)))
        return settle_or_defer(room.ingester, room.settings.bucket, "a.fits").value

    with monkeypatch.context() as patched:
        patched.setattr(room.store, "head", refuse)
        assert (attempt(), types(room)) == ("deferred", [])
        assert (attempt(), types(room)) == ("deferred", ["object.failed"])
    assert announced(room)[0].payload["reason"]["kind"] == "unavailable"
    assert (attempt(), types(room)) == ("indexed", ["object.failed", "frame.indexed"])
