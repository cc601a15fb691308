"""Figures for Prometheus: who may read them, and that clients cannot fill them with labels."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.testclient import TestClient

from localstack.metrics import meter
from shared.accounts.account import Role
from shared.database import write
from shared.index.failures import record_failure
from shared.index.frames import put_frame
from shared.index.record import FailureRecord
from tests.api.conftest import local_settings, make_client, make_key, running_app
from tests.index.factory import make_record

TOKEN = "a token of Prometheus"


@pytest.fixture
def metered(tmp_path: Path) -> Iterator[FastAPI]:
    settings = local_settings(tmp_path, metrics_token=SecretStr(TOKEN))
    with running_app(settings) as app:
        yield meter(app)


def figures(client: TestClient, path: str = "/metrics") -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_staff_and_the_token_alone_may_read(metered: FastAPI) -> None:
    sessions = metered.state.services.sessions
    user, staff = make_key(sessions, "u"), make_key(sessions, "s", Role.STAFF)
    assert make_client(metered).get("/metrics/").status_code == 401
    assert make_client(metered, "wrong").get("/metrics/").status_code == 401
    assert make_client(metered, user).get("/metrics/").status_code == 403
    assert make_client(metered, staff).get("/metrics/").status_code == 200
    wrong = make_client(metered).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"})
    assert wrong.status_code == 401
    assert figures(make_client(metered))


def test_a_process_without_figures_says_so(client: TestClient, staff_key: str) -> None:
    assert client.get("/metrics/", headers={"Authorization": f"Token {staff_key}"}).status_code == 404


def test_the_archive_is_told(metered: FastAPI) -> None:
    with write(metered.state.services.sessions) as session:
        for number in range(3):
            put_frame(session, make_record(key=f"{number}.fits", date_obs=None))
        for key, kind in (("a", "truncated"), ("b", "truncated"), ("c", "not-fits")):
            record_failure(
                session,
                FailureRecord(bucket="frames", key=key, version_id=None, etag="e", size=1, kind=kind, message="m"),
            )
    found = figures(make_client(metered))
    assert found["fitsvault_index_up", frozenset()] == 1
    assert found["fitsvault_frames", frozenset()] == 3
    assert found["fitsvault_failures", frozenset({("kind", "truncated")})] == 2
    assert found["fitsvault_failures", frozenset({("kind", "not-fits")})] == 1
    assert found["fitsvault_unsettled_objects", frozenset()] == 0


def test_an_index_that_is_away_is_told_as_well(metered: FastAPI) -> None:
    with metered.state.services.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE failures")
    found = figures(make_client(metered))
    assert found["fitsvault_index_up", frozenset()] == 0
    assert ("fitsvault_frames", frozenset()) not in found


def test_no_client_makes_labels(metered: FastAPI) -> None:
    client = make_client(metered)
    client.get("/frames/1/")
    client.get("/frames/2/")
    for number in range(20):
        client.request(f"METHOD{number}", f"/frames/{number}/")
        client.get(f"/nowhere-{number}/%0A%22%7D")
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    routes = set(re.findall(r'route="([^"]*)"', text))
    assert "/frames/{frame_id:digits}/" in routes
    assert not [route for route in routes if "nowhere" in route or re.search(r"/\d", route)]
    assert set(re.findall(r'method="([^"]*)"', text)) <= {"GET", "other"}
    found = figures(client)
    asked = frozenset({("method", "GET"), ("route", "/frames/{frame_id:digits}/"), ("status", "401")})
    assert found["fitsvault_http_requests_total", asked] == 2
    assert found["fitsvault_http_seconds_count", frozenset(list(asked - {("status", "401")}))] == 2
