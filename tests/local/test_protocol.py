"""Senders that are slow, never end or say too much are sent away, and others are served meanwhile."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localstack.bodies import BodyError, read_body
from localstack.protocol import GuardedProtocol
from tests.archive import RunningArchive, wait_until

HEAD = b"POST /slow HTTP/1.1\r\nHost: here\r\n"


class Hasty(GuardedProtocol):
    head_seconds = 1.0
    silent_seconds = 1.0


async def take(request: Request) -> Response:
    try:
        body = await read_body(request, limit=100_000, seconds=1.0)
    except BodyError as error:
        return JSONResponse({"detail": str(error)}, error.status)
    return JSONResponse({"length": len(body)})


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server that has little patience."""
    app = Starlette(routes=[Route("/slow", take, methods=["POST"])])
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=Hasty, log_config=None, access_log=False, timeout_keep_alive=30)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        wait_until("it serves", lambda: server.started)
        yield listening.getsockname()
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def line(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=20) as connection:
        yield connection


def rest(line: socket.socket) -> bytes:
    """Return what comes until the other side hangs up."""
    found = b""
    with suppress(ConnectionError):
        while piece := line.recv(65536):
            found += piece
    return found


def answer(line: socket.socket) -> bytes:
    """Return one whole answer, which has a short body."""
    found = b""
    while b"\r\n\r\n" not in found or not found.endswith(b"}"):
        piece = line.recv(65536)
        assert piece, found
        found += piece
    return found


def drip(line: socket.socket, piece: bytes) -> None:
    """Send a byte now and then until the other side hangs up."""
    with suppress(OSError):
        for _ in range(200):
            line.sendall(piece)
            time.sleep(0.05)


@pytest.mark.parametrize("begin", [b"", b"POST", HEAD, HEAD + b"X: y"])
def test_who_does_not_end_a_head_is_sent_away(line: socket.socket, begin: bytes) -> None:
    line.sendall(begin)
    assert rest(line).startswith(b"HTTP/1.1 408 Request Timeout\r\n")


@pytest.mark.parametrize(("begin", "piece"), [(b"", b"\r\n"), (HEAD + b"X: ", b"y"), (HEAD, b"A: b\r\n")])
def test_who_drips_is_sent_away(line: socket.socket, begin: bytes, piece: bytes) -> None:
    line.sendall(begin)
    drip(line, piece)
    assert b" 408 " in rest(line)


def test_a_second_request_must_come_in_time_as_well(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 2\r\n\r\nok")
    assert answer(line).endswith(b'{"length":2}')
    drip(line, b"\r\n")
    assert b" 408 " in rest(line)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET /", b"x" * 10_000),
        (HEAD + b"X: ", b"y" * 10_000),
        (HEAD, b"X-Name: value\r\n" * 1000),
        (b"\r\n", b"\r\n" * 5000),
    ],
)
def test_a_head_without_end_is_not_kept(line: socket.socket, begin: bytes, piece: bytes) -> None:
    sent = send_on(line, begin, piece)
    assert sent < 20 << 20
    assert not sent or rest(line)[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")


def test_trailers_without_end_are_not_kept(line: socket.socket) -> None:
    begin = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    assert send_on(line, begin, b"X-Name: value\r\n" * 1000) < 20 << 20


def send_on(line: socket.socket, begin: bytes, piece: bytes) -> int:
    """Send up to 40 MB, and return how many bytes the other side took before it hung up."""
    sent = 0
    with suppress(OSError):
        line.sendall(begin)
        while sent < 40 << 20:
            line.sendall(piece)
            sent += len(piece)
    return sent


def test_a_head_of_some_size_is_taken(line: socket.socket) -> None:
    line.sendall(HEAD + b"X: " + b"y" * 50_000 + b"\r\nContent-Length: 2\r\n\r\n")
    line.sendall(b"ok")
    assert answer(line).endswith(b'{"length":2}')


def test_a_body_must_come_in_time(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 10\r\n\r\n12345")
    assert b" 408 " in answer(line)


def test_a_body_has_a_time_of_its_own(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(HEAD)
        time.sleep(0.5)
        line.sendall(b"Content-Length: 4\r\n\r\n")
        time.sleep(0.7)
        line.sendall(b"fits")
        assert answer(line).endswith(b'{"length":4}')


def test_a_body_of_any_size_is_cut_off(line: socket.socket) -> None:
    line.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 200_000)
    assert b" 413 " in answer(line)


def test_pipelined_requests_are_answered_in_order(line: socket.socket) -> None:
    requests = [HEAD + b"Content-Length: %d\r\n\r\n" % n + b"x" * n for n in (1, 2, 3)]
    line.sendall(b"".join(requests))
    found = b""
    while found.count(b"}") < 3:
        found += line.recv(65536)
    assert [found.index(b'{"length":%d}' % n) for n in (1, 2, 3)] == sorted(
        found.index(b'{"length":%d}' % n) for n in (1, 2, 3)
    )


def test_the_processes_of_an_archive_are_guarded(archive: RunningArchive) -> None:
    state = json.loads((archive.home / "state.json").read_text())
    api = httpx.URL(archive.url)
    assert api.port is not None
    for port, path in ((api.port, "/health/"), (state["ports"]["events"], "/health")):
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            assert send_on(line, HEAD + b"X: ", b"y" * 10_000) < 20 << 20
        assert httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=20).is_success
        for one in idle:
            one.close()
