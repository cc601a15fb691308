"""HTTP as uvicorn speaks it, with the limits that it leaves to a proxy in front: there is none here.

uvicorn keeps whatever comes as head of a request, and waits for its end for ever. Bodies are for the application to
limit.
"""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["GuardedProtocol", "StoreProtocol"]


class GuardedProtocol(HttpToolsProtocol):
    """A connection whose requests must begin within a time, with heads (and trailers) of a size."""

    head_bytes = 64 << 10
    head_seconds = 30.0
    silent_seconds = 30.0
    """How long a new connection may say nothing at all."""

    _idle_bytes = 0
    _is_new = True
    _is_in_request = False
    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._limit = self.loop.call_later(self.silent_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take data, and count what brings neither the end of a head nor any of a body."""
        if self._is_new:
            self._is_new = False
            self._stop_waiting()
        if not self._is_in_request and self._limit is None:
            self._await_head()
        self._idle_bytes += len(data)
        super().data_received(data)
        if self._idle_bytes > self.head_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Begin a request."""
        self._stop_waiting()
        self._is_in_request, self._idle_bytes = True, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; its answer may be yet to come."""
        self._is_in_request, self._idle_bytes = False, 0
        super().on_message_complete()

    def _await_head(self) -> None:
        self._limit = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _give_up(self) -> None:
        if self._is_answering():
            self._await_head()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        if not self._is_answering() and not self.transport.is_closing():
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            self.transport.write(head.encode())
        self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


class StoreProtocol(GuardedProtocol):
    """A connection from a store, which hangs up first: what it posts while we do is lost.

    HTTP clients may not post a second time what they wrote to a connection that was just closed, and SeaweedFS sends no
    event again. It keeps idle connections, those that were opened in reserve as well, for 90 s, MinIO for 15 s.
    """

    silent_seconds = 180.0
