"""Events of every dialect, as the real servers sent them."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import EventError
from shared.events.model import ObjectEvent, ObjectEventKind
from shared.events.reader import queue_messages, read_event

CORPUS = Path(__file__).with_name("corpus")


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


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.json")), ids=lambda path: path.stem)
def test_corpus(path: Path) -> None:
    case = json.loads(path.read_text())
    found = [[event.kind.value, event.bucket, event.key] for event in read_event(case["event"]).events]
    assert found == case["objects"]


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("a+b.fits", "a b.fits"),
        ("a%2Bb.fits", "a+b.fits"),
        ("100%25.fits", "100%.fits"),
        ("%C3%BC/x.fits", "ü/x.fits"),
        ("u%CC%88.fits", "u\u0308.fits"),
        ("x%253D.fits", "x%3D.fits"),
    ],
)
def test_keys_are_decoded_once(encoded: str, key: str) -> None:
    (event,) = read_event(s3_event(encoded)).events
    assert event == ObjectEvent(
        bucket="frames",
        key=key,
        kind=ObjectEventKind.CREATED,
        raw_key=encoded,
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
        s3_event("x", "ReducedRedundancyLostObject"),
        s3_event(""),
        {"event_type": "explode", "key": "/buckets/frames/x", "message": {}},
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
    with pytest.raises(EventError, match="m2 is not JSON"):
        messages[1].read()
    assert queue_messages(s3_event("a.fits")) is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Records", "eventSource", "eventName", "s3", "object", "key", "message", "event_type"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_any_json_is_read_or_refused(event: Any) -> None:
    with contextlib.suppress(EventError):
        read_event(event)


@given(st.dictionaries(st.sampled_from(["name", "is_directory"]), _json), _json, _json)
def test_any_filer_message_is_read_or_refused(entry: dict[str, Any], old: Any, parent: Any) -> None:
    message = {"new_entry": entry, "old_entry": old, "new_parent_path": parent}
    event = {"event_type": "rename", "key": "/buckets/frames/x", "message": message}
    with contextlib.suppress(EventError):
        read_event(event)
