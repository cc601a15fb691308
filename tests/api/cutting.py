"""A door that lets through so many bytes of an answer, and then is shut."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

__all__ = ["cutting_door"]


@contextmanager
def cutting_door(url: str, bytes_through: Callable[[], int | None]) -> Iterator[str]:
    """Yield an address that leads to ``url``; of each answer ``bytes_through()`` bytes come, None for all."""
    target = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(
            target=_serve, args=(door, (target.hostname, target.port), bytes_through), daemon=True
        )
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        door.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _serve(door: socket.socket, target: tuple[str | None, int | None], bytes_through: Callable[[], int | None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = door.accept()
            with client, socket.create_connection((str(target[0]), int(target[1] or 80)), timeout=30) as server:
                _pass_on(client, server, bytes_through())


def _pass_on(client: socket.socket, server: socket.socket, left: int | None) -> None:
    """Pass one request on, and its answer as far as it may come."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(1 << 16)
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    server.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
    while chunk := server.recv(1 << 16):
        client.sendall(chunk if left is None else chunk[:left])
        if left is not None:
            left -= len(chunk)
            if left <= 0:
                return
