"""One message, one signed POST, and what each kind of answer means."""

import hashlib
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

import pytest

from shared.errors import DeliveryRefusedError, NotDeliveredError
from shared.notify.target import Parcel
from shared.notify.webhook import Webhook
from tests.notify.receiver import Receiver, running_receiver

SECRET = "a secret of the two of us"
PARCEL = Parcel("7d4c", "frame.indexed", "frames/m51.fits", 3, '{"key":"m51.fits"}')


def webhook(url: str, seconds: float = 10.0) -> Webhook:
    return Webhook(url, SECRET, seconds=seconds)


def hmac_by_hand(key: bytes, message: bytes) -> str:
    """HMAC-SHA256 as RFC 2104 writes it, for keys of up to 64 bytes."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


def test_a_message_is_one_signed_post(receiver: Receiver) -> None:
    before = int(time.time())
    webhook(f"{receiver.url}?token=t%20u").send(PARCEL)
    (received,) = receiver.received
    assert received.path == "/hook?token=t%20u"
    assert received.payload == {"key": "m51.fits"}
    assert received.headers["Content-Type"] == "application/json"
    assert received.headers["X-Fitsvault-Event"] == "frame.indexed"
    assert received.headers["X-Fitsvault-Delivery"] == "7d4c"
    assert received.headers["X-Fitsvault-Attempt"] == "3"
    when, digest = received.headers["X-Fitsvault-Signature"].split(",")
    assert before <= int(when.removeprefix("t=")) <= int(time.time())
    signed = when.removeprefix("t=").encode() + b"." + received.body
    assert digest == f"v1={hmac_by_hand(SECRET.encode(), signed)}"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(receiver: Receiver, status: int) -> None:
    receiver.script = [status]
    webhook(receiver.url).send(PARCEL)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [300, 304, 401, 403, 404, 408, 409, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_to_be_tried_again(receiver: Receiver, status: int) -> None:
    receiver.script = [status]
    with pytest.raises(NotDeliveredError, match=f"answered {status}") as caught:
        webhook(receiver.url).send(PARCEL)
    assert not isinstance(caught.value, DeliveryRefusedError)


@pytest.mark.parametrize("status", [400, 410, 413, 415, 422])
def test_what_speaks_of_the_message_is_final(receiver: Receiver, status: int) -> None:
    receiver.script = [status]
    with pytest.raises(DeliveryRefusedError, match=f"answered {status}"):
        webhook(receiver.url).send(PARCEL)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    with running_receiver() as other:
        receiver.script = [answering(f"HTTP/1.1 {status} Moved\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n")]
        with pytest.raises(NotDeliveredError, match="not followed"):
            webhook(receiver.url).send(PARCEL)
        assert other.received == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), (" 7 ", 7.0), ("999999", 3600.0), ("9" * 5000, 0.0), ("-1", 0.0), ("²", 0.0), ("soon", 0.0)],
)
def test_a_receiver_may_ask_for_time(receiver: Receiver, value: str, seconds: float) -> None:
    receiver.script = [answering(f"HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n")]
    with pytest.raises(NotDeliveredError) as caught:
        webhook(receiver.url).send(PARCEL)
    assert caught.value.retry_after == seconds


def test_a_body_without_end_is_not_read(receiver: Receiver) -> None:
    receiver.script = [endless("HTTP/1.1 200 OK\r\n\r\n", "x" * 65536, pause=0)]
    webhook(receiver.url).send(PARCEL)


@pytest.mark.parametrize(
    "answer",
    [
        "\x16\x03\x01 this is no HTTP\r\n\r\n",
        "HTTP/1.1 abc Odd\r\n\r\n",
        "HTTP/1.1 20",
        "",
        "HTTP/1.1 200 OK\r\n" + "".join(f"X-{number}: y\r\n" for number in range(1000)) + "\r\n",
        "HTTP/1.1 200 OK\r\nX: " + "y" * 100_000 + "\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_none(receiver: Receiver, answer: str) -> None:
    receiver.script = [answering(answer)]
    with pytest.raises(NotDeliveredError) as caught:
        webhook(receiver.url).send(PARCEL)
    assert len(str(caught.value)) < 400


def test_a_receiver_that_hangs_is_left(receiver: Receiver) -> None:
    receiver.script = [endless("", "", pause=60)]
    with pytest.raises(NotDeliveredError, match=r"no answer within 0.3 s"):
        webhook(receiver.url, seconds=0.3).send(PARCEL)


@pytest.mark.parametrize("begin", ["", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 100 Continue\r\n\r\n" * 3])
def test_a_receiver_that_drips_is_left(receiver: Receiver, begin: str) -> None:
    receiver.script = [endless(begin, "y", pause=0.05)]
    with pytest.raises(NotDeliveredError, match=r"no answer within 0.5 s"):
        webhook(receiver.url, seconds=0.5).send(PARCEL)


def test_nobody_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(NotDeliveredError, match="refused"):
            webhook(url).send(PARCEL)
    with pytest.raises(NotDeliveredError, match="gaierror"):
        webhook("http://no-such-host.invalid/").send(PARCEL)


def test_a_plain_receiver_is_no_https_one(receiver: Receiver) -> None:
    with pytest.raises(NotDeliveredError, match="SSLError"):
        webhook(receiver.url.replace("http:", "https:")).send(PARCEL)
    assert receiver.received == []


def test_names_and_passwords_are_sent_and_never_shown(receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "http://anna:pass%2Fword@") + "?token=hidden"
    hook = webhook(url)
    hook.send(PARCEL)
    assert receiver.received[0].headers["Authorization"] == f"Basic {b64encode(b'anna:pass/word').decode()}"
    receiver.script = [500]
    with pytest.raises(NotDeliveredError) as caught:
        hook.send(PARCEL)
    for secret in ("anna", "pass", "hidden", "hook", SECRET):
        assert secret not in str(caught.value)
        assert secret not in hook.place


def answering(raw: str) -> Callable[[BaseHTTPRequestHandler, threading.Event], None]:
    def answer(request: BaseHTTPRequestHandler, _closing: threading.Event) -> None:
        with suppress(OSError):
            request.wfile.write(raw.encode())

    return answer


def endless(begin: str, piece: str, *, pause: float) -> Callable[[BaseHTTPRequestHandler, threading.Event], None]:
    def answer(request: BaseHTTPRequestHandler, closing: threading.Event) -> None:
        with suppress(OSError):
            request.wfile.write(begin.encode())
            while not closing.wait(pause):
                request.wfile.write(piece.encode())

    return answer
