"""The archive's parts one by one, as containers run them: `python -m localstack.serve`."""

import asyncio
import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from localstack.serve import make_api_server, make_ingest_server
from localstack.state import free_port
from shared.database import make_engine
from shared.migrations import upgrade
from shared.settings import Settings, plain_settings
from shared.simulator import simulate_frame
from shared.store.client import Store
from tests.agreement import Inspector
from tests.archive import ADMIN_PASSWORD, REPOSITORY, RunningArchive, wait_until

SECRET = "a-secret-for-events-alone"


def command(part: str) -> list[str]:
    return [sys.executable, "-m", "localstack.serve", part]


def environment(values: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FITSVAULT_")}
    return {**clean, "PYTHONPATH": str(REPOSITORY), **{f"FITSVAULT_{name.upper()}": v for name, v in values.items()}}


@contextmanager
def serving(part: str, env: Mapping[str, str], folder: Path, url: str) -> Iterator[None]:
    with (folder / f"{part}.log").open("w") as log:
        process = subprocess.Popen(command(part), env=env, cwd=folder, stdout=log, stderr=log)
        try:
            wait_until(f"{part} answers", lambda: answers(url) or process.poll() is not None)
            assert process.poll() is None, (folder / f"{part}.log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_parts_that_are_started_one_by_one_are_an_archive(archive: RunningArchive, tmp_path: Path) -> None:
    events, api = free_port(set()), free_port(set())
    settings = Settings.model_validate(
        archive.settings.model_dump()
        | {"home": tmp_path, "bucket": "parts", "derived_bucket": "parts-derived", "port": api, "event_port": events}
        | {"event_secret": SECRET, "admin_password": ADMIN_PASSWORD, "reconcile_seconds": 36000.0}
        | {"database_url": f"sqlite:///{tmp_path}/index.sqlite"}
    )
    env = environment(plain_settings(settings))
    for _ in range(2):
        subprocess.run(command("prepare"), env=env, cwd=tmp_path, check=True, timeout=60)
    door, web = f"http://127.0.0.1:{events}", f"http://127.0.0.1:{api}"
    inspector, store = Inspector(settings), Store(settings)
    with serving("ingest", env, tmp_path, f"{door}/health"), serving("api", env, tmp_path, f"{web}/health/"):
        store.write_bytes("parts", "a.fits", simulate_frame(OBJECT="apart").data, "application/fits")
        event = {"event_type": "create", "key": "/buckets/parts/a.fits", "message": {"new_entry": {"name": "a.fits"}}}
        headers = {"Authorization": f"Bearer {SECRET}"}
        assert httpx.post(f"{door}/events", json=event, headers=headers, trust_env=False).status_code == 200
        assert inspector.differences(inspector.look(), deep=True) == []
        form = {"username": "admin", "password": ADMIN_PASSWORD}
        token = httpx.post(f"{web}/api-token-auth/", data=form, trust_env=False).json()["token"]
        listed = httpx.get(f"{web}/frames/", headers={"Authorization": f"Token {token}"}, trust_env=False).json()
        assert [frame["OBJECT"] for frame in listed["results"]] == ["apart"]
    inspector.close()
    store.s3.close()


def test_an_event_that_is_held_is_answered_when_it_is_time_to_stop(tmp_path: Path) -> None:
    """It is not waited for until the server cuts it off: who sent it knows that it is not settled."""
    door = free_port(set())
    with away() as (store, asked), ThreadPoolExecutor(1) as sender:
        env = environment(
            {"home": str(tmp_path), "event_host": "127.0.0.1", "event_port": str(door), "event_secret": SECRET}
            | {"s3_endpoint_url": store, "s3_access_key": "x", "s3_secret_key": "y", "reconcile_seconds": "0"}
            | {"database_url": f"sqlite:///{tmp_path}/index.sqlite"}
        )
        engine = make_engine(f"sqlite:///{tmp_path}/index.sqlite")
        upgrade(engine)
        engine.dispose()
        url = f"http://127.0.0.1:{door}"
        with serving("ingest", env, tmp_path, f"{url}/health"):
            names = {"bucket": {"name": "frames"}, "object": {"key": "a.fits"}}
            event = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": names}]}
            headers = {"Authorization": f"Bearer {SECRET}"}
            answer = sender.submit(
                httpx.post, f"{url}/events", json=event, headers=headers, trust_env=False, timeout=300
            )
            assert asked.wait(60)
        assert answer.result().status_code == 503
        assert "graceful shutdown exceeded" not in (tmp_path / "ingest.log").read_text()


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be put forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    def leap(self, seconds: float) -> None:
        """Let so many seconds be over at once."""
        self.ahead += seconds


@contextmanager
def leaping(server: uvicorn.Server) -> Iterator[tuple[tuple[str, int], Callable[[float], None]]]:
    """Run a server; yield its address, and what puts its clock forward once it has a connection."""
    loop = LeapingLoop()

    def leap(seconds: float) -> None:
        wait_until("it has the connection", lambda: server.server_state.connections)
        loop.call_soon_threadsafe(loop.leap, seconds)

    def run(listening: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(server.serve([listening]))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=run, args=(listening,))
        thread.start()
        try:
            wait_until("it serves", lambda: server.started)
            yield listening.getsockname(), leap
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.mark.parametrize("requests", [0, 1, 2])
def test_the_store_hangs_up_before_the_ingest_host_does(tmp_path: Path, requests: int) -> None:
    """SeaweedFS keeps connections for 90 s; what it posts to one that is just being closed, it never sends again."""
    url = f"sqlite:///{tmp_path}/index.sqlite"
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
    given = {"event_port": 1, "event_secret": SECRET, "reconcile_seconds": 0.0, "home": tmp_path, "database_url": url}
    server = make_ingest_server(Settings.model_validate(given))
    with leaping(server) as (address, leap):
        with socket.create_connection(address, timeout=20) as line:
            for _ in range(requests):
                assert b'{"status":"ok"}' in asked_for_health(line)
            leap(120)
            assert b'{"status":"ok"}' in asked_for_health(line)
        wait_until("it has seen the end of that", lambda: not server.server_state.connections)
        with socket.create_connection(address, timeout=20) as line:
            for _ in range(requests):
                asked_for_health(line)
            leap(600)
            wait_until("it hangs up all the same", lambda: not line.recv(4096))


def test_proxies_and_clients_hang_up_before_the_api_does(tmp_path: Path) -> None:
    given = {"home": tmp_path, "database_url": f"sqlite:///{tmp_path}/index.sqlite"}
    server = make_api_server(Settings.model_validate(given))
    with leaping(server) as (address, leap), socket.create_connection(address, timeout=20) as line:
        asked_for_health(line, b"/health/live/")
        leap(120)
        assert asked_for_health(line, b"/health/live/").endswith(b'{"status":"ok"}')
        leap(600)
        wait_until("it hangs up all the same", lambda: not line.recv(4096))


def asked_for_health(line: socket.socket, path: bytes = b"/health") -> bytes:
    """Ask on a connection that stays open; return the answer."""
    line.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: here\r\n\r\n")
    found = b""
    while not found.endswith(b"}"):
        piece = line.recv(4096)
        assert piece, f"it hung up: {found!r}"
        found += piece
    return found


@contextmanager
def away() -> Iterator[tuple[str, threading.Event]]:
    """Be a store that takes connections and says nothing, and tell when somebody came."""
    asked = threading.Event()

    class Refusal(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.set()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusal) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def test_what_a_part_lacks_is_named(tmp_path: Path) -> None:
    for part, lacking in (
        ("ingest", "FITSVAULT_EVENT_PORT"),
        ("prepare", "FITSVAULT_S3_ENDPOINT_URL"),
        ("x", "usage:"),
    ):
        done = subprocess.run(
            command(part), env=environment({}), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 1
        assert lacking in done.stderr
        assert "Traceback" not in done.stderr
