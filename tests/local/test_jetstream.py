"""Workers that share a NATS JetStream: a real server, a real store, a real database."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nats.js import JetStreamContext
from pydantic import SecretStr

from functions.ingest.handler import handle
from localstack.ingest_metrics import IngestMetrics
from localstack.jetstream import ensure_streams
from localstack.jetstream_poller import JetStreamPoller
from localstack.stores.setup import set_up_store
from shared.cli.examinations.jetstream import examine_jetstream
from shared.settings import Settings, plain_settings
from shared.simulator import simulate_frame
from tests.archive import REPOSITORY, wait_until
from tests.ingest.conftest import Room, make_room
from tests.nats import NatsServer, minio_event, running_nats
from tests.parts import need_program

__all__ = ["make_room"]

FRAME = simulate_frame().data
Handle = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with running_nats(tmp_path_factory.mktemp("nats")) as running:
        yield running


@pytest.fixture
def room(make_room: Callable[..., Room], server: NatsServer) -> Room:
    """A room whose settings name a stream of its own."""
    made = make_room()
    values: dict[str, object] = {"nats_url": SecretStr(server.url), "nats_stream": made.settings.bucket}
    settings = made.settings.model_copy(update=values | {"nats_ack_seconds": 2.0, "retry_attempts": 2})
    asyncio.run(ensure_streams(settings))
    return Room(settings, made.store, made.sessions, made.ingester)


@pytest.fixture
def start(room: Room) -> Iterator[Callable[..., JetStreamPoller]]:
    pollers: list[JetStreamPoller] = []

    def start_one(given: Handle | None = None, *, is_well: bool = True) -> JetStreamPoller:
        metrics = IngestMetrics(room.sessions, room.settings.bucket)
        take = given or partial(handle, ingester=room.ingester)
        pollers.append(JetStreamPoller(room.settings, take, lambda: is_well, metrics))
        pollers[-1].start()
        return pollers[-1]

    yield start_one
    for poller in pollers:
        poller.stop()


def publish(server: NatsServer, room: Room, *keys: str) -> None:
    server.publish(f"{room.settings.nats_stream}.events", *(minio_event(room.settings.bucket, key) for key in keys))


def test_a_message_goes_when_its_row_is_there(
    server: NatsServer, room: Room, start: Callable[..., JetStreamPoller]
) -> None:
    seen: list[int] = []

    def watched(event: dict[str, Any]) -> dict[str, Any]:
        answer = handle(event, room.ingester)
        seen.append(server.count(room.settings.nats_stream))
        return answer

    room.put("a b+ü.fits", FRAME)
    publish(server, room, "a b+ü.fits")
    start(watched)
    wait_until("the message is gone", lambda: server.count(room.settings.nats_stream) == 0)
    assert room.frame("a b+ü.fits") is not None
    assert seen == [1], "the message should be there until the function has answered"


def test_what_is_worked_on_for_long_is_not_given_to_others(
    server: NatsServer, room: Room, start: Callable[..., JetStreamPoller]
) -> None:
    calls: list[float] = []

    def slow(event: dict[str, Any]) -> dict[str, Any]:
        calls.append(time.monotonic())
        time.sleep(3 * room.settings.nats_ack_seconds)
        return handle(event, room.ingester)

    publish(server, room, "slow.fits")
    for _ in range(2):
        start(slow)
    wait_until("the message is gone", lambda: server.count(room.settings.nats_stream) == 0)
    assert len(calls) == 1


def test_what_fails_comes_again(server: NatsServer, room: Room, start: Callable[..., JetStreamPoller]) -> None:
    counts: list[str] = []

    def failing_once(event: dict[str, Any]) -> dict[str, Any]:
        counts.append(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
        if len(counts) == 1:
            raise RuntimeError("killed, say")
        return handle(event, room.ingester)

    room.put("again.fits", FRAME)
    publish(server, room, "again.fits")
    start(failing_once)
    wait_until("the message is gone", lambda: server.count(room.settings.nats_stream) == 0)
    assert counts == ["1", "2"]
    assert room.frame("again.fits") is not None
    assert server.count(f"{room.settings.nats_stream}-dead") == 0


def test_what_nobody_understands_ends_among_the_dead_letters(
    server: NatsServer, room: Room, start: Callable[..., JetStreamPoller]
) -> None:
    server.publish(f"{room.settings.nats_stream}.events", b"no \xff JSON")
    room.put("behind.fits", FRAME)
    publish(server, room, "behind.fits")
    start()
    dead = f"{room.settings.nats_stream}-dead"
    wait_until("it is given up", lambda: server.count(dead) == 1)
    wait_until("nothing is left", lambda: server.count(room.settings.nats_stream) == 0)
    assert room.frame("behind.fits") is not None

    async def last(jetstream: JetStreamContext) -> tuple[bytes | None, dict[str, str] | None]:
        message = await jetstream.get_last_msg(dead, f"{room.settings.nats_stream}.dead")
        return message.data, message.headers

    found = list(examine_jetstream(room.settings))
    assert [finding.verdict for finding in found] == ["ok", "note"]
    assert "1 events were given up" in found[1].words

    body, headers = server.ask(last)
    assert body == b"no \xff JSON"
    assert headers is not None
    assert headers["Fitsvault-Attempts"] == "2"


def test_no_message_is_to_blame_for_a_store_that_is_away(
    server: NatsServer, room: Room, start: Callable[..., JetStreamPoller]
) -> None:
    enough = threading.Event()
    counts: list[int] = []

    def failing(event: dict[str, Any]) -> dict[str, Any]:
        counts.append(int(event["Records"][0]["attributes"]["ApproximateReceiveCount"]))
        if counts[-1] > room.settings.retry_attempts:
            enough.set()
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}

    publish(server, room, "held.fits")
    start(failing, is_well=False)
    assert enough.wait(60)
    assert server.count(f"{room.settings.nats_stream}-dead") == 0
    assert server.count(room.settings.nats_stream) == 1


def test_the_doctor_finds_a_queue_that_is_away_or_was_not_prepared(server: NatsServer, room: Room) -> None:
    away = room.settings.model_copy(update={"nats_url": SecretStr("nats://u:hidden@127.0.0.1:9")})
    unprepared = room.settings.model_copy(update={"nats_stream": "nothing"})
    for settings in (away, unprepared):
        (found,) = examine_jetstream(settings)
        assert found.verdict == "wrong"
        assert "hidden" not in found.words


def serving(settings: Settings, folder: Path) -> "subprocess.Popen[bytes]":
    """Start an ingest host as it is deployed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    more = {"event_port": port, "event_secret": SecretStr("a-secret-of-theirs"), "reconcile_seconds": 0.0}
    given = plain_settings(settings.model_copy(update=more))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FITSVAULT_")}
    folder.mkdir()
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "localstack.serve", "ingest"],
            cwd=folder,
            env=clean | {"PYTHONPATH": str(REPOSITORY)} | {f"FITSVAULT_{k.upper()}": v for k, v in given.items()},
            stdout=log,
            stderr=log,
        )


def test_a_worker_that_is_killed_loses_nothing(server: NatsServer, room: Room, tmp_path: Path) -> None:
    keys = [f"night/{number:03}.fits" for number in range(60)]
    for key in keys:
        room.put(key, FRAME)
    settings = room.settings.model_copy(update={"database_url": SecretStr(room.database_url), "retry_attempts": 16})
    workers = [serving(settings, tmp_path / f"worker-{number}") for number in range(2)]
    try:
        publish(server, room, *keys)
        wait_until("some are done", lambda: server.count(room.settings.nats_stream) < 50)
        workers[0].kill()
        assert server.count(room.settings.nats_stream) > 0
        wait_until("all are done", lambda: server.count(room.settings.nats_stream) == 0)
        assert [key for key in keys if room.frame(key) is None] == []
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(30) for worker in workers]
    assert codes == [-signal.SIGKILL, -signal.SIGTERM]
    log = (tmp_path / "worker-1" / "log").read_text()
    assert '"trace": "request-of-' in log


def test_minio_feeds_it_and_keeps_what_it_cannot_deliver(tmp_path: Path, room: Room) -> None:
    """MinIO publishes to the stream by itself; while NATS is away its events wait on disk."""
    need_program("minio", "go install github.com/minio/minio@latest, with Go 1.24 or later")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running_nats(tmp_path / "nats") as server, (tmp_path / "minio.log").open("wb") as log:
        settings = room.settings.model_copy(
            update={
                "store": "minio",
                "s3_endpoint_url": f"http://127.0.0.1:{port}",
                "s3_access_key": "fitsvault",
                "s3_secret_key": SecretStr("secret-secret"),
                "minio_webhook_arns": ["arn:minio:sqs::FITSVAULT:nats"],
                "nats_url": SecretStr(server.url),
            }
        )
        asyncio.run(ensure_streams(settings))
        nats = {"ENABLE": "on", "ADDRESS": f"127.0.0.1:{server.port}", "JETSTREAM": "on"}
        nats |= {"SUBJECT": f"{settings.nats_stream}.events", "QUEUE_DIR": str(tmp_path / "queue")}
        environment = {"MINIO_ROOT_USER": "fitsvault", "MINIO_ROOT_PASSWORD": "secret-secret", "MINIO_BROWSER": "off"}
        environment |= {f"MINIO_NOTIFY_NATS_{name}_FITSVAULT": value for name, value in nats.items()}
        command = ["minio", "server", "--quiet", "--address", f"127.0.0.1:{port}", str(tmp_path / "data")]
        minio = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
        try:
            assert set_up_store(settings).news == ()
            store = type(room.store)(settings)
            store.write_bytes(settings.bucket, "now.fits", FRAME, "application/fits")
            wait_until("MinIO has published", lambda: server.count(settings.nats_stream) == 1)
            server.stop()
            store.write_bytes(settings.bucket, "meanwhile.fits", FRAME, "application/fits")
            server.start()
            wait_until("MinIO has made up for it", lambda: server.count(settings.nats_stream) == 2)
            store.s3.close()
        finally:
            minio.terminate()
            minio.wait(20)
