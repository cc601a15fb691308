"""One id for each request: in every log line that it leaves, in its answer, and beside the objects that it writes."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.logs import clean_trace, new_trace, traced

__all__ = ["Traced"]

_HEADER = "X-Request-ID"
_AWS_ROOT = re.compile(r"(?:^|;)Root=([^;]+)")


class Traced:
    """Middleware around everything: takes the id that a client or proxy gives to a request, or makes one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace = _given(Headers(scope=scope)) or new_trace()

        async def send_with_trace(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[_HEADER] = trace
            await send(message)

        with traced(trace):
            await self.app(scope, receive, send_with_trace)


def _given(headers: Headers) -> str | None:
    """Return the id in the headers: ``X-Request-ID``, or the root of AWS's ``X-Amzn-Trace-Id``."""
    root = _AWS_ROOT.search(headers.get("x-amzn-trace-id", ""))
    return clean_trace(headers.get(_HEADER)) or (clean_trace(root.group(1)) if root else None)
