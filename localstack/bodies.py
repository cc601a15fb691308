"""The body of a request, read within a limit of size and of time."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from shared.errors import FitsvaultError

__all__ = ["BodyError", "read_body"]


class BodyError(FitsvaultError):
    """A body that did not come as it should; ``status`` is the answer."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        super().__init__(detail)


async def read_body(request: Request, *, limit: int, seconds: float) -> bytes:
    """Return the body.

    Raises
    ------
    BodyError
        It is longer than ``limit`` bytes, takes longer than ``seconds``, or breaks off.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise BodyError(413, "The event is too large.")
    except TimeoutError:
        raise BodyError(408, f"The event did not come within {seconds:g} s.") from None
    except ClientDisconnect:
        raise BodyError(400, "The event broke off.") from None
    return bytes(body)
