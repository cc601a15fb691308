"""The door for events: who may knock, and what comes in."""

import contextlib
import json
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from localstack.ingest_host import MAX_EVENT_BYTES
from shared.simulator import simulate_frame
from tests.archive import RunningArchive


@pytest.fixture
def door(archive: RunningArchive) -> Iterator[httpx.Client]:
    state = json.loads((archive.home / "state.json").read_text())
    with httpx.Client(
        base_url=f"http://127.0.0.1:{state['ports']['events']}",
        headers={"Authorization": f"Bearer {state['event_secret']}"},
        trust_env=False,
        timeout=30,
    ) as client:
        yield client


def event(bucket: str, key: str = "a.fits") -> dict[str, object]:
    return {"event_type": "create", "key": f"/buckets/{bucket}/{key}", "message": {"new_entry": {"name": key}}}


def test_only_who_knows_the_secret_may_knock(door: httpx.Client, archive: RunningArchive) -> None:
    del door.headers["Authorization"]
    assert door.post("/events", json=event("frames")).status_code == 401
    for wrong in ("Bearer wrong", "Bearer", "Basic Zm9v", "Bearer \xfc"):
        answer = door.post("/events", json=event("frames"), headers=[(b"Authorization", wrong.encode("latin-1"))])
        assert answer.status_code == 401
    assert "The shared secret is wrong." in archive.log("ingest"), "an operator whose secrets differ must see it"


def test_another_bucket_is_forbidden(door: httpx.Client) -> None:
    assert door.post("/events", json=event("derived")).status_code == 403
    assert door.post("/events", json=event("somebody")).status_code == 403


def test_what_is_too_long_is_cut_off(door: httpx.Client) -> None:
    long = b'{"x": "' + b"x" * (10 << 20) + b'"}'
    assert len(long) > MAX_EVENT_BYTES
    assert door.post("/events", content=long).status_code == 413

    def pieces() -> Iterator[bytes]:
        yield from (long[start : start + 65536] for start in range(0, len(long), 65536))

    with contextlib.suppress(httpx.WriteError):  # the server may hang up on who goes on sending
        assert door.post("/events", content=pieces()).status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"Records": []}', b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_event_is_refused(door: httpx.Client, body: bytes) -> None:
    answer = door.post("/events", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_its_state_and_figures_are_told(door: httpx.Client, archive: RunningArchive) -> None:
    archive.s3.put_object(Bucket=archive.bucket, Key="counted.fits", Body=simulate_frame().data)
    archive.wait_for_frame("counted.fits")
    assert door.get("/health/live").json() == {"status": "ok"}
    ready = {"status": "ok", "database": "ok", "tables": "ok", "store": "ok"}
    assert door.get("/health/ready").json() == ready
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(door.get("/metrics").text)
        for sample in family.samples
    }
    assert samples["fitsvault_objects_total", "indexed"] >= 1
    assert samples["fitsvault_events_total", "settled"] >= 1
    assert samples["fitsvault_settle_seconds_count", "indexed"] == samples["fitsvault_objects_total", "indexed"]
    assert samples["fitsvault_event_delay_seconds_count",] >= samples["fitsvault_events_total", "settled"]
    assert samples["fitsvault_frames",] >= 1
    assert ("fitsvault_oldest_event_seconds",) in samples
    del door.headers["Authorization"]
    assert door.get("/metrics").status_code == 401


def test_folders_are_nothing_to_do(door: httpx.Client) -> None:
    folder = {"event_type": "create", "key": "/buckets/frames/x", "message": {"new_entry": {"is_directory": True}}}
    assert door.post("/events", json=folder).json() == {"outcomes": []}


def test_an_event_for_what_is_not_there_removes_nothing(door: httpx.Client, archive: RunningArchive) -> None:
    answer = door.post("/events", json=event("frames", "never-was.fits"))
    assert (answer.status_code, answer.json()) == (200, {"outcomes": ["removed"]})


def test_a_kind_that_is_none_of_ours_is_taken_and_told(door: httpx.Client, archive: RunningArchive) -> None:
    """MinIO would send it again for ever, and nothing behind it."""
    names = {"bucket": {"name": "frames"}, "object": {"key": "a.fits"}}
    record = {"eventSource": "minio:s3", "eventName": "s3:ObjectAccessed:Get", "s3": names}
    answer = door.post("/events", json={"Records": [record]})
    assert (answer.status_code, answer.json()["outcomes"], len(answer.json()["refused"])) == (200, [], 1)
    assert "record refused" in archive.log("ingest")
