"""A stored object as an answer: its bytes pass through us, in constant memory, with ranges."""

import asyncio
import datetime as dt
import logging
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from email.utils import format_datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from functions.api.dependencies import Services, get_services
from functions.api.envelope import ASKED_METHOD
from functions.api.errors import answer, describe
from functions.api.ranges import RangeNotSatisfiableError, asked_range, holds_if_range
from shared.errors import ObjectChangedError, StoreError
from shared.store.model import ObjectState

__all__ = ["DOWNLOAD_COOKIE", "is_buffered", "sends_token_on", "stream_object"]

DOWNLOAD_COOKIE = "fileDownload=true; Path=/"
"""What tells the predecessor's page that a download has begun."""

_PIECE = 2 << 20
_LAMBDA_LIMIT = 4 << 20
_NOT_IN_ETAG = re.compile(r"[^\x21\x23-\x7e]")
_BEING_REPLACED = "The object is just being replaced. Try again."
_TOO_LARGE = (
    "{length} bytes are more than this archive sends by itself ({limit}). Ask with ?redirect=false for a link to the "
    "object store that needs no token, or for ranges."
)

_logger = logging.getLogger(__name__)


def stream_object(request: Request, state: ObjectState, headers: Mapping[str, str]) -> Response:
    """Return exactly the object that ``state`` shows, or the range of it that the request asks for.

    Its first bytes are there before the answer begins, so that what the store says of it becomes a status.

    Raises
    ------
    HTTPException
        413: more than may pass through us; 503: the object is no longer that one.
    StoreError
        The store refused.
    """
    services = get_services(request)
    etag = f'"{_NOT_IN_ETAG.sub("", state.etag)}"'
    is_head = request.scope.get(ASKED_METHOD) == "HEAD"
    asked = None
    try:
        if not is_head and holds_if_range(request.headers.get("if-range"), etag):
            asked = asked_range(request.headers.get("range"), state.size)
    except RangeNotSatisfiableError as error:
        return answer(416, "No such range.", {"Content-Range": f"bytes */{error.length}", "Accept-Ranges": "bytes"})
    start, stop = asked or (0, state.size)
    told = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(stop - start),
        "ETag": etag,
        "Last-Modified": format_datetime(state.last_modified.replace(tzinfo=dt.UTC, microsecond=0), usegmt=True),
        **headers,
    }
    if is_head:
        return Response(None, 200, told)
    _check_limit(request, stop - start)
    if asked:
        told["Content-Range"] = f"bytes {start}-{stop - 1}/{state.size}"
    pieces = _Pieces(services, state, start, stop)
    try:
        pieces.begin()
    except ObjectChangedError as error:
        raise HTTPException(503, _BEING_REPLACED, {"Retry-After": "2"}) from error
    return _ObjectResponse(pieces, 206 if asked else 200, told)


def is_buffered(request: Request) -> bool:
    """Tell whether the whole answer is in memory before it is sent, as on Lambda."""
    return "aws.event" in request.scope


def sends_token_on(request: Request) -> bool:
    """Tell whether the client would send its token to where a redirect leads, as far as its User-Agent says."""
    agent = request.headers.get("user-agent", "").lower()
    return any(agent.startswith(begin.lower()) for begin in get_services(request).settings.stream_clients)


class _Pieces:
    """The bytes of an object from ``start`` to ``stop``, a piece in hand and one on its way."""

    def __init__(self, services: Services, state: ObjectState, start: int, stop: int) -> None:
        self._services = services
        self._state = state
        self._ranges = iter([(at, min(at + _PIECE, stop)) for at in range(start, stop, _PIECE)])
        self._next: Future[bytes] | None = None

    def begin(self) -> None:
        """Wait for the first piece."""
        self._next = self._ask()
        if self._next is not None:
            self._next.result()

    def __iter__(self) -> Iterator[Future[bytes]]:
        while self._next is not None:
            current, self._next = self._next, self._ask()
            yield current

    def _ask(self) -> Future[bytes] | None:
        found = next(self._ranges, None)
        store = self._services.store
        return self._services.bundle_threads.submit(store.read_range, self._state, *found) if found else None


class _ObjectResponse(StreamingResponse):
    """Where the store fails on the way, the connection is closed before Content-Length is reached."""

    def __init__(self, pieces: _Pieces, status_code: int, headers: Mapping[str, str]) -> None:
        super().__init__((), status_code, headers)
        self._pieces = pieces

    async def stream_response(self, send: Send) -> None:
        """Send head and body."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            for piece in self._pieces:
                await send({"type": "http.response.body", "body": await asyncio.wrap_future(piece), "more_body": True})
        except StoreError as error:
            _logger.error("download broken off", extra=describe(error))  # noqa: TRY400 - the store's words say it all
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _check_limit(request: Request, length: int) -> None:
    limit = get_services(request).settings.stream_limit_bytes
    if limit is None and is_buffered(request):
        limit = _LAMBDA_LIMIT
    if limit is not None and length > limit:
        raise HTTPException(413, _TOO_LARGE.format(length=length, limit=limit))
