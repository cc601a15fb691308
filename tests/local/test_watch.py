"""Watching store and database: no absence is missed, and what is at rest is left at rest."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from localstack.watch import Watch
from shared.settings import Settings
from tests.archive import RunningArchive, wait_until

pytestmark = pytest.mark.archive


class Watching:
    """A watch at work: how often it asked the store, and how often it told that all is back."""

    def __init__(self, settings: Settings) -> None:
        self.asked = 0
        self.returned = 0
        self.stop = threading.Event()
        self.watch = Watch(settings, self.stop, self._back)
        self.watch._store.s3.meta.events.register("before-send.s3.HeadBucket", self._ask)

    def _back(self) -> None:
        self.returned += 1

    def _ask(self, **_: Any) -> None:
        self.asked += 1


@contextmanager
def watching(settings: Settings) -> Iterator[Watching]:
    one = Watching(settings)
    thread = threading.Thread(target=one.watch.run)
    thread.start()
    try:
        yield one
    finally:
        one.stop.set()
        thread.join(30)


def test_a_store_at_rest_is_not_asked_all_the_time(archive: RunningArchive) -> None:
    with watching(archive.settings) as one:
        wait_until("it was asked", lambda: one.asked)
        time.sleep(3)
        assert 1 <= one.asked <= 3  # of some seven looks
        assert one.returned == 0


def test_a_store_that_hangs_up_for_a_moment_is_noticed(archive: RunningArchive) -> None:
    """By a proxy before it, whose port is shut between two of the looks at the store."""
    store = archive.settings.s3_endpoint_url
    assert store is not None
    host, port = store.removeprefix("http://").split(":")
    door = Door(host, int(port))
    settings = archive.settings.model_copy(update={"s3_endpoint_url": door.open()})
    with watching(settings) as one:
        wait_until("it was asked", lambda: one.asked)
        door.shut()
        time.sleep(1.2)
        door.open()
        wait_until("it is told that all is back", lambda: one.returned, 30)
        assert one.returned == 1
    door.shut()


class Door:
    """A port that hands on to another one while it is open, and keeps no connection when it is shut."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = host, port
        self._port = 0
        self._sockets: list[socket.socket] = []

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
                for pair in ((client, behind), (behind, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
