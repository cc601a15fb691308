"""A webhook: one signed POST for each message.

Redirects are not followed: what is meant for one address is not handed to another. What the receiver answers is not
read beyond the status and the headers, and the whole of an attempt has a limit in time.
"""

import http.client
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from urllib.parse import SplitResult, unquote, urlsplit

from shared.errors import DeliveryRefusedError, NotDeliveredError
from shared.notify.signature import signature
from shared.notify.target import Parcel

__all__ = ["Webhook"]

_SECONDS = 10.0
_LONGEST_RETRY_AFTER = 3600.0
_LONGEST_REASON = 200
_REFUSALS = frozenset({400, 410, 413, 415, 422})
"""Answers that speak of this very message: the same bytes would be refused again."""


class Webhook:
    """The receiver at a URL.

    Parameters
    ----------
    seconds
        Limit of one attempt, from the connection to the headers of the answer.
    clock
        Unix time, which is signed.
    """

    def __init__(
        self, url: str, secret: str, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self._url = urlsplit(url)
        self._secret = secret
        self._seconds = seconds
        self._clock = clock

    @property
    def place(self) -> str:
        """The address as it may be shown: user, password, path and query may be secrets."""
        host = f"[{self._url.hostname}]" if ":" in (self._url.hostname or "") else self._url.hostname
        port = f":{self._url.port}" if self._url.port is not None else ""
        return f"{self._url.scheme}://{host}{port}"

    def send(self, parcel: Parcel) -> None:
        """Post it; any 2xx says that the receiver has it."""
        status, retry_after = self._answer(parcel)
        if 200 <= status < 300:
            return
        if status in _REFUSALS:
            raise DeliveryRefusedError(f"{self.place} answered {status}")
        what = " and redirects, which is not followed" if 300 <= status < 400 else ""
        raise NotDeliveredError(f"{self.place} answered {status}{what}", retry_after=_seconds_of(retry_after))

    def _answer(self, parcel: Parcel) -> tuple[int, str]:
        """Return status and ``Retry-After``."""
        connection = self._connection()
        end = time.monotonic() + self._seconds
        limit = threading.Timer(self._seconds, _cut_off, (connection,))
        try:
            connection.connect()
            limit.start()
            connection.request("POST", self._path, body=parcel.body.encode(), headers=self._headers(parcel))
            answer = connection.getresponse()
            if time.monotonic() >= end:
                raise TimeoutError  # cut off within the headers, which http.client takes for their end
            return answer.status, answer.headers.get("Retry-After", "")
        except (OSError, http.client.HTTPException) as error:
            is_late = time.monotonic() >= end or isinstance(error, TimeoutError)
            reason = f"no answer within {self._seconds:g} s" if is_late else _reason_of(error)
            raise NotDeliveredError(f"{self.place}: {reason}") from error
        finally:
            limit.cancel()
            connection.close()

    @property
    def _path(self) -> str:
        return (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")

    def _headers(self, parcel: Parcel) -> dict[str, str]:
        own = {
            "Content-Type": "application/json",
            "User-Agent": "fitsvault",
            "Connection": "close",
            "X-Fitsvault-Event": parcel.type,
            "X-Fitsvault-Delivery": parcel.event_id,
            "X-Fitsvault-Attempt": str(parcel.attempt),
            "X-Fitsvault-Signature": signature(self._secret, parcel.body, time=int(self._clock())),
        }
        return own | _credentials(self._url)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._seconds, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=self._seconds)


def _cut_off(connection: http.client.HTTPConnection) -> None:
    """End what goes on for too long, however slowly it goes on: timeouts of sockets are for each read alone."""
    with suppress(OSError, AttributeError):
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _credentials(url: SplitResult) -> dict[str, str]:
    if url.username is None:
        return {}
    pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _seconds_of(retry_after: str) -> float:
    """Return the seconds that an answer asks us to wait; dates, which clocks disagree about, count for nothing."""
    text = retry_after.strip()
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return min(float(text), _LONGEST_RETRY_AFTER) if is_number else 0.0


def _reason_of(error: Exception) -> str:
    """Return why there was no answer; never what may hold a part of the URL."""
    told = str(error)[:_LONGEST_REASON] if not isinstance(error, http.client.InvalidURL) else ""
    return f"{type(error).__name__}: {told}" if told else type(error).__name__
