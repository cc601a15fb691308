"""The door to the dialects: what is understood and what is refused."""

import json
from typing import Any

import pytest

from shared.errors import EventError
from shared.events.model import ObjectEvent, ObjectEventKind
from shared.events.reader import queue_messages, read_event
from tests.events.cases import CASES


def s3_event(key: str, name: str = "ObjectCreated:Put", bucket: str = "frames") -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventName": name,
                "s3": {
                    "bucket": {"name": bucket},
                    "object": {"key": key, "versionId": "v1", "sequencer": "0055AED6DCD90281E5"},
                },
            }
        ]
    }


def test_all_that_an_event_tells() -> None:
    (event,) = read_event(s3_event("a+b.fits")).events
    assert event == ObjectEvent(
        bucket="frames",
        key="a b.fits",
        raw_key="a+b.fits",
        kind=ObjectEventKind.CREATED,
        version_id="v1",
        sequencer="0055AED6DCD90281E5",
    )


@pytest.mark.parametrize(
    "name",
    [
        "ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectCreated:Copy",
        "ObjectRemoved:DeleteMarkerCreated",
        "LifecycleExpiration:Delete",
    ],
)
def test_kinds(name: str) -> None:
    (event,) = read_event(s3_event("x", name)).events
    assert event.kind == ("created" if "Created:" in name and "Delete" not in name else "removed")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": []},
        {"Records": [{"eventSource": "aws:sns"}]},
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]},
        {"Records": {}},
        {"Records": "text"},
        {"source": "aws.s3", "detail-type": "Object Created"},
        {"Type": "SubscriptionConfirmation", "TopicArn": "arn", "Message": "confirm"},
        {"event_type": "create", "key": "/buckets/frames/x", "message": {}},
        {"event_type": "create", "key": "/buckets/frames/x", "message": {"new_entry": "x"}},
        s3_event(""),
        {"event_type": "create", "key": 3, "message": {}},
        [],
        None,
        "text",
    ],
)
def test_what_is_no_event_is_refused(event: Any) -> None:
    with pytest.raises(EventError):
        read_event(event)


def test_queue_batch() -> None:
    batch = {
        "Records": [
            {"eventSource": "aws:sqs", "messageId": "m1", "body": json.dumps(s3_event("a.fits"))},
            {"eventSource": "aws:sqs", "messageId": "m2", "body": "not json"},
        ]
    }
    messages = queue_messages(batch)
    assert messages is not None
    assert [message.message_id for message in messages] == ["m1", "m2"]
    assert [event.key for event in messages[0].read().events] == ["a.fits"]
    with pytest.raises(EventError, match="m2' is not JSON"):
        messages[1].read()
    assert queue_messages(s3_event("a.fits")) is None


@pytest.mark.parametrize(
    "event",
    [
        s3_event("x", "ReducedRedundancyLostObject"),
        s3_event("x", "ObjectTagging:Put"),
        s3_event("x", "s3:ObjectAccessed:Get"),
        s3_event("x", "Object"),
        s3_event("x", ""),
        {"event_type": ["create"], "key": "/buckets/frames/x", "message": {}},
        {"event_type": "explode", "key": "/buckets/frames/x", "message": {}},
        {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(s3_event("x", "ObjectAcl:Put"))},
    ],
)
def test_kinds_that_are_none_of_ours_are_told_apart(event: dict[str, Any]) -> None:
    reading = read_event(event)
    assert (reading.events, reading.refused, len(reading.unwanted)) == ((), (), 1)


def test_one_broken_record_does_not_lose_the_others() -> None:
    records = [s3_event("a.fits")["Records"][0], None, {}, s3_event("x", "Explode")["Records"][0]]
    reading = read_event({"Records": [*records, *s3_event("b.fits")["Records"]]})
    assert [event.key for event in reading.events] == ["a.fits", "b.fits"]
    assert (len(reading.refused), len(reading.unwanted)) == (2, 1)


def test_nothing_understood_names_every_reason_briefly() -> None:
    with pytest.raises(EventError, match="and 980 more") as caught:
        read_event({"Records": [{"x" * 5000: 1}] * 1000})
    assert len(str(caught.value)) < 8000


@pytest.mark.parametrize(("count", "taken"), [("3", 3), (None, 1), (3, 1), ("many", 1), ("9" * 5000, 1), ({}, 1)])
def test_how_often_a_message_was_taken(count: Any, taken: int) -> None:
    messages = queue_messages(
        {"Records": [{"eventSource": "aws:sqs", "attributes": {"ApproximateReceiveCount": count}}]}
    )
    assert messages is not None
    assert [message.receive_count for message in messages] == [taken]


def test_envelopes_in_envelopes_come_to_an_end() -> None:
    event = s3_event("a.fits")
    for _ in range(2):
        event = {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(event)}]}
    assert [found.key for found in read_event(event).events] == ["a.fits"]
    for _ in range(20):
        event = {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(event)}
        if len(json.dumps(event)) > 100_000:
            break
    with pytest.raises(EventError, match="envelopes"):
        read_event(event)


def test_versions_of_an_object_in_seaweedfs() -> None:
    case = next(case for case in CASES if case.name == "seaweedfs-versioned-put")
    (event,) = read_event(case.event).events
    assert case.event["key"] == f"/buckets/frames-v/cpt/a.fits.versions/v_{event.version_id}"
