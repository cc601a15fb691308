"""Routes of bundles, whose forms may carry the token: a browser's form and wget have no other place for it."""

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from functions.api.authentication import UserRoute, account_of_key, key_in_headers
from functions.api.forms import parse_fields, read_body
from shared.errors import InvalidParameterError

__all__ = ["BundleRoute"]


class BundleRoute(UserRoute):
    """A route whose POST may carry the token as form field ``auth_token``; ``request.state.by_form`` tells so."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        if scope["method"] != "POST" or key_in_headers(request) is not None:
            await super().handle(scope, receive, send)
            return
        body = await read_body(request)
        key = await _key_of_form(request, body)
        if key is None:
            await super().handle(scope, _replay(body, receive), send)
            return
        request.state.account = await run_in_threadpool(account_of_key, request, key)
        request.state.by_form = True
        await APIRoute.handle(self, scope, _replay(body, receive), send)


async def _key_of_form(request: Request, body: bytes) -> str | None:
    """Return the form's token. A body that cannot be read has none: whoever sends it is refused as anybody else."""
    try:
        fields = await parse_fields(request, body)
    except (HTTPException, InvalidParameterError):
        return None
    return next((value for name, value in fields if name == "auth_token"), None)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a channel that gives the body once more, then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
