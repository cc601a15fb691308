"""An event that comes while the store is away is held, not handed back: SeaweedFS sends none a second time."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from localstack.ingest_host import make_ingest_host
from localstack.state import free_port
from shared.database import make_engine, make_session_factory, read
from shared.index.frames import find_object
from shared.migrations import upgrade
from shared.settings import Settings
from shared.simulator import simulate_frame
from tests.archive import RunningArchive, wait_until

SECRET = "a-secret-of-the-store"


class _Forward(socketserver.BaseRequestHandler):
    """Hands bytes on to the store, and its bytes back."""

    target: tuple[str, int]

    def handle(self) -> None:
        with socket.create_connection(self.target) as store:
            back = threading.Thread(target=_pump, args=(store, self.request), daemon=True)
            back.start()
            _pump(self.request, store)
            back.join(10)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def store_comes_back(port: int, archive: RunningArchive, after: float) -> Iterator[None]:
    """Open a way to the archive's store at a port, some seconds from now."""
    url = httpx.URL(str(archive.settings.s3_endpoint_url))
    handler = type("Forward", (_Forward,), {"target": (url.host, url.port)})
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.daemon_threads = True
    servers: list[socketserver.ThreadingTCPServer] = []

    def begin() -> None:
        servers.append(socketserver.ThreadingTCPServer(("127.0.0.1", port), handler))
        servers[0].serve_forever(poll_interval=0.05)

    timer = threading.Timer(after, begin)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        for server in servers:
            server.shutdown()
            server.server_close()
        timer.join(10)


def is_frame(sessions: sessionmaker[Session]) -> bool:
    with read(sessions) as session:
        return find_object(session, "held", "a.fits") is not None


@pytest.mark.archive
def test_an_event_is_held_until_the_store_is_back(archive: RunningArchive, tmp_path: Path) -> None:
    archive.store.ensure_bucket("held")
    archive.store.write_bytes("held", "a.fits", simulate_frame().data, "application/fits")
    port, url = free_port(set()), f"sqlite:///{tmp_path / 'index.sqlite'}"
    settings = archive.settings.model_copy(
        update={
            "bucket": "held",
            "s3_endpoint_url": f"http://127.0.0.1:{port}",
            "database_url": SecretStr(url),
            "event_secret": SecretStr(SECRET),
            "reconcile_seconds": 0.0,
            "work_dir": tmp_path,
        }
    )
    engine = make_engine(url)
    upgrade(engine)
    sessions = make_session_factory(engine)
    names = {"bucket": {"name": "held"}, "object": {"key": "a.fits"}}
    event = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": names}]}
    door = TestClient(make_ingest_host(Settings.model_validate(settings.model_dump())))
    with store_comes_back(port, archive, after=1.5), door:
        answer = door.post("/events", json=event, headers={"Authorization": f"Bearer {SECRET}"})
        # Where the store comes back between the look and the verdict, the object is tried again a moment later.
        assert (answer.status_code, answer.json()["outcomes"]) in ((200, ["indexed"]), (200, ["deferred"]))
        wait_until("the object is a frame", lambda: is_frame(sessions))
    engine.dispose()
