"""What is announced is the difference between before and after, and no message is too long for its way."""

import itertools
import json
from dataclasses import fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session, sessionmaker

from shared.database import utc_now, write
from shared.index.announcements import FAILED, INDEXED, REMOVED, Told, announcements, payload, told
from shared.index.failures import record_failure
from shared.index.frames import put_frame
from shared.index.record import FailureRecord, FrameRecord
from tests.index.factory import make_record

SNS_LIMIT = 256 * 1024
OBJECT = st.sampled_from(["e1", "e2"]).map(lambda etag: {"etag": etag, "version_id": None, "size": 1})
FRAME = OBJECT.map(lambda identity: identity | {"frame": {"id": 1, "sha256": identity["etag"]}})
FAILURE = st.builds(
    lambda identity, kind: identity | {"reason": {"kind": kind, "message": ""}},
    OBJECT,
    st.sampled_from(["truncated", "unavailable"]),
)
TOLD = st.builds(Told, st.none() | FRAME, st.none() | FAILURE)


@given(TOLD)
def test_what_is_the_same_needs_no_word(state: Told) -> None:
    assert list(announcements(state, state)) == []


@given(st.lists(TOLD, min_size=2, max_size=8))
def test_whoever_follows_the_news_knows_the_frame(states: list[Told]) -> None:
    known: Any = states[0].frame["frame"] if states[0].frame else None
    for before, after in itertools.pairwise(states):
        news = list(announcements(before, after))
        for one in news:
            if one.type == INDEXED:
                assert one.body["replaced"] is (known is not None)
                known = one.body["frame"]
            elif one.type == REMOVED:
                assert one.body["frame"] == known
                known = None
        assert known == (after.frame["frame"] if after.frame else None)
        failed = [one.body["reason"] for one in news if one.type == FAILED]
        is_new = after.failure is not None and after.failure != before.failure
        assert failed == ([after.failure["reason"]] if is_new and after.failure else [])


def test_no_message_is_too_long_for_a_topic(factory: sessionmaker[Session]) -> None:
    long = "\U0001f52d" * 5000
    texts = {field.name: long for field in fields(FrameRecord) if field.type in (str, str | None)}
    fixed = {"key": "\x01" * 1024, "bucket": "frames", "digest": "d", "sha256": "0" * 64}
    record = make_record(**(texts | fixed))
    failure = FailureRecord(
        bucket="frames", key=fixed["key"], version_id=long, etag=long, size=1, kind=long, message=long
    )
    with write(factory) as session:
        put_frame(session, record)
        frame = told(session, "frames", fixed["key"])
        record_failure(session, failure)
        both = told(session, "frames", fixed["key"])
    assert both.failure is not None
    for before, after in ((Told(), frame), (frame, Told(None, both.failure))):
        for one in announcements(before, after):
            document = payload(one, event_id="x" * 36, time=utc_now(), bucket="frames", key=fixed["key"])
            assert 10_000 < len(json.dumps(document)) < SNS_LIMIT * 3 // 4
