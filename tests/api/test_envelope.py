import sqlite3

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from shared.errors import ObjectGoneError, StoreError, StoreUnavailableError
from tests.api.conftest import PutFrame, make_client, make_key

SECRET = "postgresql://user:hunter2@db/x"


def failing_client(app: FastAPI, error: Exception) -> TestClient:
    @app.get("/fail/")
    async def fail() -> None:
        raise error

    return make_client(app)


@pytest.mark.parametrize("path", ["/", "/docs", "/health/", "/frames/", "/nothing", "/api-token-auth/", "/frames"])
def test_every_answer_has_the_headers_that_protect(anonymous: TestClient, path: str) -> None:
    headers = anonymous.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] in ("private, no-cache", "no-store")
    assert headers["vary"] == "Authorization, Authentication, Cookie"


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (StoreUnavailableError(SECRET), 503, "5"),
        (StoreError(SECRET), 502, None),
        (OperationalError("SELECT 1", {"password": SECRET}, sqlite3.OperationalError("gone")), 503, "5"),
        (IntegrityError("INSERT", {"password": SECRET}, sqlite3.IntegrityError("constraint")), 500, None),
        (ZeroDivisionError(), 500, None),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), 500, None),
    ],
)
def test_a_failure_is_told_without_internals_and_logged_once(
    fragile_app: FastAPI, caplog: pytest.LogCaptureFixture, error: Exception, status: int, retry: str | None
) -> None:
    answer = failing_client(fragile_app, error).get("/fail/")
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert "hunter2" not in answer.text
    assert type(error).__name__ not in answer.text
    assert answer.headers.get("retry-after") == retry
    assert answer.headers["x-content-type-options"] == "nosniff"
    records = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(records) == 1
    assert records[0].exc_info is None
    assert records[0].path == "/fail/"  # type: ignore[attr-defined]
    if isinstance(error, OperationalError | IntegrityError):
        assert "hunter2" not in str(vars(records[0]))


@pytest.mark.parametrize(("error", "status"), [(ObjectGoneError("b/k"), 404), (ClientDisconnect(), 400)])
def test_what_is_nobodys_fault_is_not_logged(
    fragile_app: FastAPI, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    assert failing_client(fragile_app, error).get("/fail/").status_code == status
    assert caplog.records == []


@pytest.mark.parametrize("tail", ["preview/", "headers/"])
def test_a_store_that_is_away_is_told_with_a_time_to_come_back(
    client: TestClient, put: PutFrame, caplog: pytest.LogCaptureFixture, tail: str
) -> None:
    answer = client.get(f"/frames/{put()}/{tail}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"detail": "The object store is not available. Try again later."}
    assert [record.message for record in caplog.records] == ["no answer"]


def test_an_index_that_is_away_is_told_with_a_time_to_come_back(
    fragile_app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    services = fragile_app.state.services
    client = make_client(fragile_app, make_key(services.sessions, "ada"))
    services.engine.dispose()
    for path in services.settings.home.glob("index.sqlite*"):
        path.unlink()
    (services.settings.home / "index.sqlite").mkdir()
    for answer in (client.get("/frames/"), client.post("/api-token-auth/", data={"username": "a", "password": "b"})):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json() == {"detail": "The index is not available. Try again later."}
    assert "Traceback" not in caplog.text


def test_a_query_that_takes_too_long_is_told_and_named(
    fragile_app: FastAPI, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = fragile_app.state.services
    client = make_client(fragile_app, make_key(services.sessions, "ada"))
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT max(i % 7) FROM n"
    limit = services.readers.kw["bind"].update_execution_options
    limit(fitsvault_query_seconds=0.1)
    monkeypatch.setattr("functions.api.routes.frames.list_frames", lambda session, _: session.execute(text(endless)))
    answer = client.get("/frames/?OBJECT=m")
    assert answer.status_code == 503
    assert answer.json() == {"detail": "The query took too long and was given up. Narrow its filters."}
    assert "retry-after" not in answer.headers
    (record,) = caplog.records
    assert (record.message, record.path, record.query) == ("query timed out", "/frames/", "OBJECT=m")  # type: ignore[attr-defined]
