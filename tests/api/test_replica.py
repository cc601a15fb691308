"""Lists come from a replica, which may be behind; what was just written is found all the same."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from functions.api.dependencies import Services
from shared.database import write
from shared.index.frames import put_frame, remove_frame
from shared.intake.waiting import Verdict, await_absence, await_index
from shared.store.model import ObjectState
from tests.api.conftest import local_settings, make_client, make_key, running_app
from tests.index.factory import make_record
from tests.postgres import new_database
from tests.replica import Replica, running_replica


@pytest.fixture(scope="module")
def replica(postgres: str) -> Iterator[Replica]:
    with running_replica(postgres) as running:
        yield running


@pytest.fixture(scope="module")
def app(postgres: str, replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    settings = local_settings(tmp_path_factory.mktemp("replica")).model_copy(
        update={
            "database_url": SecretStr(new_database(postgres, "replicated")),
            "database_read_url": SecretStr(replica.url("replicated")),
        }
    )
    with running_app(settings) as app:
        yield app


@pytest.fixture(scope="module")
def services(app: FastAPI) -> Services:
    services: Services = app.state.services
    return services


@pytest.fixture(scope="module")
def client(app: FastAPI, services: Services, replica: Replica) -> TestClient:
    """A client whose token and tables the replica has."""
    client = make_client(app, make_key(services.sessions, "ada"))
    replica.catch_up()
    return client


@pytest.fixture
def behind(client: TestClient, replica: Replica) -> Iterator[Replica]:
    replica.hold()
    yield replica
    replica.go_on()


def put(services: Services, key: str) -> int:
    with write(services.sessions) as session:
        return put_frame(session, make_record(key=key))


def names(client: TestClient) -> list[str]:
    return [row["basename"] for row in client.get("/frames/").json()["results"]]


def state(key: str) -> ObjectState:
    record = make_record(key=key)
    return ObjectState(
        bucket="frames",
        key=key,
        etag=record.etag,
        size=record.size,
        last_modified=record.last_modified,
        version_id=None,
    )


def test_a_list_is_the_replicas_and_one_frame_is_found_at_once(
    services: Services, client: TestClient, behind: Replica
) -> None:
    frame_id = put(services, "a.fits")
    assert "a" not in names(client)
    assert client.get(f"/frames/{frame_id}/").json()["basename"] == "a"
    assert client.get(f"/frames/{frame_id}/related/").json() == []
    assert client.get("/frames/987654/").status_code == 404
    behind.go_on()
    behind.catch_up()
    assert "a" in names(client)


def test_a_zip_of_frames_that_the_replica_does_not_know_yet(
    services: Services, client: TestClient, behind: Replica
) -> None:
    """The store is away in this test, so 503 says that the frames were found."""
    frame_id = put(services, "zipped.fits")
    assert client.post("/frames/zip/", data={"frame_ids[]": [str(frame_id)]}).status_code == 503
    assert client.post("/frames/zip/", data={"frame_ids[]": ["987654"]}).status_code == 404


def test_accounts_are_never_behind(app: FastAPI, services: Services, client: TestClient, behind: Replica) -> None:
    key = make_key(services.sessions, "grace")
    assert make_client(app, key).get("/frames/").status_code == 200


def test_an_upload_waits_for_the_replica(services: Services, behind: Replica, client: TestClient) -> None:
    put(services, "new.fits")
    threading.Timer(0.3, behind.go_on).start()
    assert services.replica is not None
    assert await_index(services.replica, services.store, state("new.fits"), 20).verdict is Verdict.INDEXED
    assert "new" in names(client)


def test_a_deletion_waits_for_the_replica(services: Services, replica: Replica, client: TestClient) -> None:
    put(services, "old.fits")
    replica.hold()
    with write(services.sessions) as session:
        remove_frame(session, "frames", "old.fits")
    assert "old" in names(client)
    threading.Timer(0.3, replica.go_on).start()
    assert services.replica is not None
    assert await_absence(services.replica, "frames", "old.fits")
    assert "old" not in names(client)


def test_health_tells_of_the_replica(client: TestClient) -> None:
    body = client.get("/health/").json()
    assert (body["database"], body["replica"]) == ("ok", "ok")


def test_a_replica_that_is_away_is_told(postgres: str, services: Services, tmp_path: Path) -> None:
    update = {"database_url": services.settings.database_url, "database_read_url": SecretStr(f"{postgres}&port=9")}
    with running_app(local_settings(tmp_path).model_copy(update=update)) as app:
        client = make_client(app, make_key(services.sessions, "eve"))
        answer = client.get("/frames/")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert client.get("/health/").json()["replica"] == "not available"
