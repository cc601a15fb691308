"""Watching store and database: an absence of a moment is not missed."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from localstack.watch import Watch
from tests.archive import RunningArchive, wait_until

pytestmark = pytest.mark.archive


class Door:
    """A port that hands on to another one while it is open, and keeps no connection when it is shut."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = host, port
        self._port = 0
        self._sockets: list[socket.socket] = []
        self.visitors = 0

    def open(self) -> str:
        """Take connections, at the same port as before; return the address."""
        listening = socket.create_server(("127.0.0.1", self._port))
        self._port = listening.getsockname()[1]
        self._sockets.append(listening)
        threading.Thread(target=self._serve, args=(listening,), daemon=True).start()
        return f"http://127.0.0.1:{self._port}"

    def shut(self) -> None:
        """Hang up on everybody."""
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._sockets.clear()

    def _serve(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                behind = socket.create_connection(self._behind)
                self._sockets += [client, behind]
                self.visitors += 1
                for pair in ((client, behind), (behind, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)


def test_a_store_that_hangs_up_for_a_moment_is_noticed(archive: RunningArchive) -> None:
    store = archive.settings.s3_endpoint_url
    assert store is not None
    host, port = store.removeprefix("http://").split(":")
    door, stop, back = Door(host, int(port)), threading.Event(), threading.Semaphore(0)
    settings = archive.settings.model_copy(update={"s3_endpoint_url": door.open()})
    thread = threading.Thread(target=Watch(settings, stop, back.release).run)
    thread.start()
    try:
        wait_until("it was asked", lambda: door.visitors)
        door.shut()
        time.sleep(1.2)
        door.open()
        assert back.acquire(timeout=30)
        assert not back.acquire(timeout=1.2)  # it is told once
    finally:
        stop.set()
        thread.join(30)
        door.shut()
