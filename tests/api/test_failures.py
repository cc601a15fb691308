"""Failures over HTTP: for staff, filtered and paged, and tried again on a running archive."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from shared.database import write
from shared.index.failures import record_failure
from shared.index.record import FailureRecord
from tests.api.conftest import Sessions, make_client
from tests.archive import RunningArchive, wait_until

PATH = "/ingest/failures/"


def fail(sessions: Sessions, key: str, kind: str = "truncated") -> int:
    record = FailureRecord(
        bucket="frames", key=key, version_id=None, etag="e", size=3, kind=kind, message=f"{key} is too short"
    )
    with write(sessions) as session:
        return record_failure(session, record)


@pytest.fixture
def staff(app: FastAPI, staff_key: str) -> TestClient:
    return make_client(app, staff_key)


def test_failures_are_listed_latest_first(staff: TestClient, sessions: Sessions) -> None:
    assert staff.get(PATH).json() == {"count": 0, "results": []}
    ids = [fail(sessions, "a/1.fits"), fail(sessions, "a/2.fits", "not-fits"), fail(sessions, "b/3.fits")]
    answer = staff.get(PATH).json()
    assert answer["count"] == 3
    assert [row["id"] for row in answer["results"]] == ids[::-1]
    first = answer["results"][2]
    assert (first["key"], first["filename"], first["kind"]) == ("a/1.fits", "1.fits", "truncated")
    assert (first["message"], first["attempts"], first["retry_at"]) == ("a/1.fits is too short", 1, None)
    assert first["first_at"].endswith("Z")


@pytest.mark.parametrize(
    ("query", "count", "keys"),
    [
        ("kind=truncated", 2, ["b/3.fits", "a/1.fits"]),
        ("kind=", 3, ["b/3.fits", "a/2.fits", "a/1.fits"]),
        ("kind=TRUNCATED", 0, []),
        ("prefix=a/", 2, ["a/2.fits", "a/1.fits"]),
        ("prefix=a/&kind=not-fits", 1, ["a/2.fits"]),
        ("prefix=%25", 0, []),
        ("limit=1&offset=1", 3, ["a/2.fits"]),
        ("limit=0", 3, []),
        ("limit=-5&offset=-5", 3, []),
    ],
)
def test_filters_and_pages(staff: TestClient, sessions: Sessions, query: str, count: int, keys: list[str]) -> None:
    fail(sessions, "a/1.fits")
    fail(sessions, "a/2.fits", "not-fits")
    fail(sessions, "b/3.fits")
    answer = staff.get(f"{PATH}?{query}").json()
    assert (answer["count"], [row["key"] for row in answer["results"]]) == (count, keys)


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=x", "Invalid values for offset/limit."),
        ("offset=", "Invalid values for offset/limit."),
        ("kind=%00", "Invalid value for kind."),
        ("prefix=a%00", "Invalid value for prefix."),
    ],
)
def test_what_cannot_be_read(staff: TestClient, query: str, detail: str) -> None:
    answer = staff.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json()) == (400, {"detail": detail})


def test_failures_are_for_staff(anonymous: TestClient, client: TestClient, sessions: Sessions) -> None:
    failure_id = fail(sessions, "a.fits")
    for path in (PATH, f"{PATH}{failure_id}/retry/", f"{PATH}4711/retry/"):
        for method in ("GET", "POST"):
            assert anonymous.request(method, path).status_code == 401
            assert client.request(method, path).status_code == 403


def test_a_retry_is_noted(staff: TestClient, sessions: Sessions) -> None:
    failure_id = fail(sessions, "a.fits")
    answer = staff.post(f"{PATH}{failure_id}/retry/")
    assert answer.status_code == 202
    assert answer.json()["id"] == failure_id
    assert answer.json()["retry_at"].endswith("Z")
    assert staff.get(PATH).json()["results"][0]["retry_at"] == answer.json()["retry_at"]
    fail(sessions, "a.fits")
    again = staff.get(PATH).json()["results"][0]
    assert (again["attempts"], again["retry_at"]) == (2, None)
    assert staff.get(f"{PATH}{failure_id}/retry/").status_code == 405
    for unknown in ("4711", "9" * 30):
        assert staff.post(f"{PATH}{unknown}/retry/").status_code == 404


@pytest.mark.archive
def test_a_running_archive_tries_again(archive: RunningArchive) -> None:
    key = "retries/broken.fits"
    archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=b"no FITS at all")

    def failure() -> dict[str, object] | None:
        results = archive.get(PATH, prefix=key)["results"]
        return results[0] if results else None

    before = wait_until("the failure is recorded", failure)
    assert (before["kind"], before["attempts"]) == ("not-fits", 1)
    assert archive.http.post(f"{PATH}{before['id']}/retry/").status_code == 202

    def tried_again() -> bool:
        now = failure()
        return now is not None and now["attempts"] == 2 and now["retry_at"] is None

    wait_until("the object was tried again", tried_again)
    assert before["id"] == (failure() or {}).get("id")
