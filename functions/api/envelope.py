"""What every answer has in common: headers, no body for HEAD, and never a traceback."""

import logging

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.api.errors import answer, describe

__all__ = ["ASKED_METHOD", "Envelope"]

ASKED_METHOD = "fitsvault.method"
"""Key in the scope under which the client's own method stands; routes see GET for HEAD."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
    "Vary": "Authorization, Authentication, Cookie",
}

_logger = logging.getLogger(__name__)


class Envelope:
    """Middleware around all routes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        scope = {**scope, "method": "GET" if method == "HEAD" else method, ASKED_METHOD: method}
        await self._answer(scope, receive, _Wrapped(send, with_body=method != "HEAD"))

    async def _answer(self, scope: Scope, receive: Receive, send: "_Wrapped") -> None:
        if "\n" in scope["path"]:  # which "$" of a route's pattern would overlook
            await answer(404, "Not found.")(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if send.started:
                raise
            request = {"method": scope[ASKED_METHOD], "path": scope["path"]}
            _logger.error("unexpected error", extra=request | describe(error))  # noqa: TRY400
            await answer(500, "The archive failed to answer. This was logged.")(scope, receive, send)


class _Wrapped:
    def __init__(self, send: Send, *, with_body: bool) -> None:
        self.started = False
        self._send = send
        self._with_body = with_body

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        elif message["type"] == "http.response.body" and not self._with_body:
            message = {**message, "body": b""}
        await self._send(message)
