"""A zip as an answer: bytes that are made or fetched while they are sent."""

import asyncio
import logging
from collections.abc import Generator, Mapping
from concurrent.futures import Future
from contextlib import closing

from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from functions.api.dependencies import Services
from functions.api.errors import describe
from shared.bundle.assembly import Assembly
from shared.bundle.plan import Piece
from shared.bundle.stream import read_ahead
from shared.errors import StoreError

__all__ = ["ZipResponse", "whole_zip"]

_logger = logging.getLogger(__name__)


class ZipResponse(StreamingResponse):
    """The window of a zip, in constant memory.

    Where the store fails on the way, the connection is closed before Content-Length is reached: nobody takes what came
    for the whole.
    """

    def __init__(self, services: Services, assembly: Assembly, status_code: int, headers: Mapping[str, str]) -> None:
        super().__init__((), status_code, headers, media_type="application/zip")
        self._services = services
        self._assembly = assembly

    async def stream_response(self, send: Send) -> None:
        """Send head and body, unless the client leaves early."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            with closing(_futures(self._services, self._assembly)) as futures:
                for future in futures:
                    data = future.result() if future.done() else await asyncio.wrap_future(future)
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        except StoreError as error:
            _logger.error("zip broken off", extra=describe(error))  # noqa: TRY400 - the store's words say it all
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def whole_zip(services: Services, assembly: Assembly, status_code: int, headers: Mapping[str, str]) -> Response:
    """Return the window of a zip as an answer that is all there before it is sent."""
    with closing(_futures(services, assembly)) as futures:
        data = b"".join(future.result() for future in futures)
    return Response(data, status_code, headers, media_type="application/zip")


def _futures(services: Services, assembly: Assembly) -> Generator[Future[bytes], None, None]:
    def fetch(piece: Piece, size: int) -> Generator[bytes, None, None]:
        return services.store.chunks(piece.state, piece.start, piece.stop, size)

    return read_ahead(assembly.plan.contents(*assembly.window), fetch, services.bundle_threads)
