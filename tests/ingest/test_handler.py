"""The ingest function takes S3's events directly and from a queue."""

import json
from typing import Any

import pytest

from functions.ingest.handler import handle
from shared.errors import EventError, StoreUnavailableError
from shared.ingest.service import Ingester
from shared.settings import Settings
from shared.simulator import simulate_frame
from shared.store.client import Store
from tests.ingest.conftest import Room


def event(room: Room, key: str) -> dict[str, Any]:
    names = {"bucket": {"name": room.settings.bucket}, "object": {"key": key}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": names}]}


def message(name: str, body: str) -> dict[str, str]:
    return {"eventSource": "aws:sqs", "messageId": name, "body": body}


def test_direct_event(room: Room) -> None:
    room.put("a b+ü.fits", simulate_frame().data)
    assert handle(event(room, "a+b%2B%C3%BC.fits"), room.ingester) == {"outcomes": ["indexed"]}
    assert room.frame("a b+ü.fits") is not None


def test_a_batch_answers_what_failed_alone(room: Room) -> None:
    room.put("good.fits", simulate_frame().data)
    room.put("junk.fits", b"junk")
    batch = {
        "Records": [
            message("good", json.dumps(event(room, "good.fits"))),
            message("junk", json.dumps(event(room, "junk.fits"))),
            message("gone", json.dumps(event(room, "gone.fits"))),
            message("text", "this is no event"),
            message("test", json.dumps({"Event": "s3:TestEvent", "Service": "Amazon S3"})),
        ]
    }
    assert handle(batch, room.ingester) == {"batchItemFailures": [{"itemIdentifier": "text"}]}
    assert room.frame("good.fits") is not None
    assert room.failure("junk.fits") is not None


def test_what_a_retry_can_cure_is_handed_back(room: Room) -> None:
    away = Settings(_env_file=None, s3_endpoint_url="http://127.0.0.1:9", s3_access_key="x", s3_secret_key="y")
    ingester = Ingester(room.settings, Store(away), room.sessions)
    batch = {"Records": [message("m", json.dumps(event(room, "a.fits")))]}
    assert handle(batch, ingester) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    with pytest.raises(StoreUnavailableError):
        handle(event(room, "a.fits"), ingester)


def test_an_unknown_event_is_refused_loudly(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(EventError, match="no dialect knows"):
        handle({"hello": "world"}, room.ingester)
    assert "event refused" in caplog.text


def test_a_key_that_was_not_encoded_is_found_as_it_is_spelled(room: Room) -> None:
    room.put("a+b%25.fits", simulate_frame().data)
    assert handle(event(room, "a+b%25.fits"), room.ingester) == {"outcomes": ["indexed"]}
    assert room.frame("a+b%25.fits") is not None
