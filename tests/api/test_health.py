import threading
import time

import pytest
from fastapi import FastAPI

from functions.api.probes import Probe
from tests.api.conftest import make_client


def test_a_store_that_is_away_is_told_without_internals(fragile_app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    start = time.perf_counter()
    answer = make_client(fragile_app).get("/health/")
    assert time.perf_counter() - start < 5
    assert answer.status_code == 503
    body = answer.json()
    assert body.pop("store") in ("not available", "no answer")
    assert body == {"status": "unavailable", "database": "ok", "detail": "Not ok: store."}
    assert answer.headers["retry-after"] == "5"
    assert "127.0.0.1" not in answer.text


def test_an_index_without_tables_is_told(fragile_app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    with fragile_app.state.services.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE frames")
    answer = make_client(fragile_app).get("/health/")
    assert answer.status_code == 503
    assert answer.json()["database"] == "not available"
    assert answer.json()["detail"] == "Not ok: database, store."


def test_a_question_that_hangs_is_asked_once_and_given_up() -> None:
    asked = 0
    go_on = threading.Event()

    def question() -> str:
        nonlocal asked
        asked += 1
        go_on.wait(10)
        return "ok"

    probe = Probe(question, deadline=0.1)
    try:
        assert [probe.state() for _ in range(3)] == ["no answer"] * 3
        assert asked == 1
        go_on.set()
        time.sleep(0.1)
        assert probe.state() == "ok"
    finally:
        go_on.set()
        probe.close()


def test_a_new_question_is_asked_every_time() -> None:
    answers = iter(["ok", "not available", "ok"])
    probe = Probe(lambda: next(answers))
    try:
        assert [probe.state() for _ in range(3)] == ["ok", "not available", "ok"]
    finally:
        probe.close()


def test_a_process_that_answers_is_alive_whatever_is_away(fragile_app: FastAPI) -> None:
    answer = make_client(fragile_app).get("/health/live/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


def test_tables_of_another_version_make_it_unready(fragile_app: FastAPI) -> None:
    client = make_client(fragile_app)
    assert client.get("/health/ready/").json()["tables"] == "ok"
    with fragile_app.state.services.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0007'")
    answer = client.get("/health/ready/")
    assert answer.status_code == 503
    assert "run `fitsvault db upgrade`" in answer.json()["tables"]
    assert answer.json()["detail"] == "Not ok: store, tables."
