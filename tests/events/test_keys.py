"""The keys of each dialect lead back to exactly the object's."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import EventError
from shared.events.fields import MAX_KEY_BYTES
from shared.events.reader import read_event

_Make = Callable[[str], dict[str, Any]]


def s3_event(source: str, key: str) -> dict[str, Any]:
    names = {"bucket": {"name": "frames"}, "object": {"key": key}}
    return {"Records": [{"eventSource": source, "eventName": "ObjectCreated:Put", "s3": names}]}


def aws(key: str) -> dict[str, Any]:
    return s3_event("aws:s3", quote_plus(key, safe="/*"))


def localstack(key: str) -> dict[str, Any]:
    return s3_event("aws:s3", quote(key))


def minio(key: str) -> dict[str, Any]:
    return {"EventName": "s3:ObjectCreated:Put", "Key": f"frames/{key}", **s3_event("minio:s3", quote_plus(key))}


def ceph_that_encodes(key: str) -> dict[str, Any]:
    return s3_event("ceph:s3", quote_plus(key, safe="/"))


def event_bridge(key: str, sequencer: str = "617f08299329d189") -> dict[str, Any]:
    detail = {"bucket": {"name": "frames"}, "object": {"key": key, "sequencer": sequencer}}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def localstack_bridge(key: str) -> dict[str, Any]:
    return event_bridge(quote(key), "0062E99A88DC407460")


def seaweed(key: str) -> dict[str, Any]:
    folder, _, name = f"/buckets/frames/{key}".rpartition("/")
    message = {"new_entry": {"name": name}, "new_parent_path": folder}
    return {"event_type": "create", "key": f"/buckets/frames/{key}", "message": message}


def by_topic_and_queue(key: str) -> dict[str, Any]:
    note = {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(aws(key))}
    return {"Records": [{"eventSource": "aws:sqs", "messageId": "m", "body": json.dumps(note)}]}


DIALECTS: list[_Make] = [
    aws,
    localstack,
    minio,
    ceph_that_encodes,
    event_bridge,
    localstack_bridge,
    seaweed,
    by_topic_and_queue,
]
ODD = ("a b", "a+b", "a%b", "a%20b", "%", "%%", "a%2Bb+c d", "k=v&x", "ü", "u\u0308", "夜/M 51.fits", "\x01", "~*'()!")
KEYS = st.text(
    st.sampled_from(" +%=&?#/~*'()!20FfBb\u00fcu\u0308夜")
    | st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=1,
    max_size=60,
)


@pytest.mark.parametrize("make", DIALECTS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("key", ODD)
def test_odd_keys(make: _Make, key: str) -> None:
    (event,) = read_event(make(key)).events
    assert event.key == key


@given(KEYS)
@example("night//x.fits")
@example("/x.fits")
def test_any_key_is_decoded_once(key: str) -> None:
    for make in DIALECTS:
        if make is seaweed and "" in key.split("/"):  # the filer knows no empty names
            continue
        (event,) = read_event(make(key)).events
        assert event.key == key, make.__name__


@given(KEYS)
def test_a_key_that_ceph_did_not_encode_is_among_the_two(key: str) -> None:
    (event,) = read_event(s3_event("ceph:s3", key)).events
    assert key in (event.key, event.raw_key)


def test_normal_forms_stay_two_keys() -> None:
    (composed,) = read_event(aws("ü.fits")).events
    (decomposed,) = read_event(aws("u\u0308.fits")).events
    assert composed.key != decomposed.key


@pytest.mark.parametrize(
    ("spelling", "key", "raw_key"),
    [
        ("a.fits", "a.fits", None),
        ("cpt%2Fa.fits", "cpt/a.fits", "cpt%2Fa.fits"),
        ("a+b", "a b", "a+b"),
        ("%FF", "%FF", None),
        ("a%00b", "a%00b", None),
        ("%zz", "%zz", None),
    ],
)
def test_the_spelling_is_kept_where_it_differs(spelling: str, key: str, raw_key: str | None) -> None:
    (event,) = read_event(s3_event("minio:s3", spelling)).events
    assert (event.key, event.raw_key) == (key, raw_key)


@pytest.mark.parametrize(
    ("spelling", "raw_key"), [("M 51+x", None), ("M51=x", None), ("100%.fits", None), ("a+b", "a+b")]
)
def test_ceph_keys_that_cannot_be_encoded_are_left_alone(spelling: str, raw_key: str | None) -> None:
    (event,) = read_event(s3_event("ceph:s3", spelling)).events
    assert event.raw_key == raw_key
    assert raw_key is not None or event.key == spelling


@pytest.mark.parametrize("key", ["", "x" * (MAX_KEY_BYTES + 1), "ü" * 513, "a\0b", "\ud800", None, 3, ["a"], {"a": 1}])
@pytest.mark.parametrize("source", ["aws:s3", "minio:s3", "ceph:s3", "bridge"])
def test_what_can_be_no_key_is_refused(source: str, key: Any) -> None:
    with pytest.raises(EventError, match="no object has this key") as caught:
        read_event(event_bridge(key) if source == "bridge" else s3_event(source, key))
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("key", ["x" * (MAX_KEY_BYTES + 1), "a\0b", "\ud800"])
def test_what_can_be_no_path_is_refused(key: str) -> None:
    with pytest.raises(EventError, match="no object has this key"):
        read_event(seaweed(key))
