"""The ingest function takes S3's events directly and from a queue."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from functions.ingest.handler import handle
from shared.errors import EventError, StoreUnavailableError
from shared.ingest.service import Ingester
from shared.settings import Settings, plain_settings
from shared.simulator import simulate_frame
from shared.store.client import Store
from tests.ingest.conftest import Room
from tests.notify.receiver import running_receiver

REPOSITORY = Path(__file__).resolve().parents[2]


def event(room: Room, key: str) -> dict[str, Any]:
    names = {"bucket": {"name": room.settings.bucket}, "object": {"key": key}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": names}]}


def message(name: str, body: str) -> dict[str, str]:
    return {"eventSource": "aws:sqs", "messageId": name, "body": body}


def test_direct_event(room: Room) -> None:
    room.put("a b+ü.fits", simulate_frame().data)
    assert handle(event(room, "a+b%2B%C3%BC.fits"), room.ingester) == {"outcomes": ["indexed"]}
    assert room.frame("a b+ü.fits") is not None


def test_the_function_tells_what_it_wrote(room: Room) -> None:
    code = "import sys, json; from functions.ingest.handler import handler; print(handler(json.load(sys.stdin), None))"
    with running_receiver() as receiver:
        database = SecretStr(str(room.sessions.kw["bind"].url))
        target = {"notify_url": SecretStr(receiver.url), "notify_secret": SecretStr("a secret of the two of us")}
        given = plain_settings(room.settings.model_copy(update=target | {"database_url": database}))
        room.put("told.fits", simulate_frame().data)
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPOSITORY,
            env=os.environ | {f"FITSVAULT_{name.upper()}": value for name, value in given.items()},
            input=json.dumps(event(room, "told.fits")),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "{'outcomes': ['indexed']}"
        assert [payload["key"] for payload in receiver.payloads] == ["told.fits"]


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


def test_a_kind_that_is_none_of_ours_holds_up_no_webhook(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """A queue shows such a message among its dead letters; a webhook that sends it for ever must not have to."""
    room.put("a.fits", simulate_frame().data)
    tagging = event(room, "a.fits")["Records"][0] | {"eventName": "ObjectTagging:Put"}
    mixed = {"Records": [tagging, *event(room, "a.fits")["Records"]]}
    answer = handle(mixed, room.ingester, defers=True)
    assert (answer["outcomes"], len(answer["refused"])) == (["indexed"], 1)
    assert "record refused" in caplog.text
    with pytest.raises(EventError, match="ObjectTagging"):
        handle(mixed, room.ingester)
    batch = {"Records": [message("m", json.dumps({"Records": [tagging]}))]}
    assert handle(batch, room.ingester) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
