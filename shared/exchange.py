"""One HTTP request to an address that is not trusted: nothing is followed, and all of it ends in time.

Timeouts of sockets are for each read alone: who sends a byte now and then would hold a connection for ever.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from functools import cache
from urllib.parse import SplitResult

__all__ = ["Answer", "exchange"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``body`` is as much of it as was wanted."""

    status: int
    headers: Message
    body: bytes


def exchange(
    method: str,
    url: SplitResult,
    *,
    seconds: float,
    headers: Mapping[str, str],
    body: bytes | None = None,
    longest: int = 0,
) -> Answer:
    """Send a request and return its answer, whatever its status.

    Parameters
    ----------
    seconds
        Limit of all of it, from the connection to the last byte that is wanted.
    longest
        How many bytes of the answer's body are read.

    Raises
    ------
    TimeoutError
        It was not through in time.
    OSError, ValueError, http.client.HTTPException
        There is no such address, nobody answers there, or what comes is no HTTP.
    """
    end = time.monotonic() + seconds
    connection = _connection(url, seconds)
    limit: threading.Timer | None = None
    try:
        connection.connect()
        limit = threading.Timer(max(end - time.monotonic(), 0.0), _cut_off, (connection.sock,))
        limit.start()
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request(method, path, body=body, headers={"Connection": "close", **headers})
        with connection.getresponse() as answer:
            content = answer.read(longest) if longest else b""
        if time.monotonic() >= end:  # cut off, which http.client takes for the end of what was to come
            raise TimeoutError
        return Answer(answer.status, answer.headers, content)
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= end:
            raise TimeoutError from error
        raise
    finally:
        if limit is not None:
            limit.cancel()
        connection.close()


def _connection(url: SplitResult, seconds: float) -> http.client.HTTPConnection:
    host, port = url.hostname or "", url.port
    if url.scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=_tls())
    return http.client.HTTPConnection(host, port, timeout=seconds)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _cut_off(connected: socket.socket) -> None:
    """End what goes on for too long. The method is that of plain sockets: TLS's own would wait for the other end."""
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
