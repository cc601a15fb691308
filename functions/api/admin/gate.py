"""The door of the admin panel: who is let in, and what every answer of it has in common."""

from urllib.parse import quote, urlsplit, urlunsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from functions.api.authentication import account_of_session
from functions.api.csrf import SAFE_METHODS
from functions.api.envelope import ASKED_METHOD
from functions.api.stage import root_of

__all__ = ["AdminGate"]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class AdminGate:
    """The panel as an ASGI application below ``/admin``: for sessions of browsers, never for tokens in headers.

    Whose session it is, and what he may do, is looked up for each request.
    """

    def __init__(self, panel: ASGIApp) -> None:
        self._panel = panel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        request = Request(scope, receive)
        account = await run_in_threadpool(account_of_session, request)
        request.state.account = account
        answer = RedirectResponse(_login(request), 303) if account is None else self._panel
        await answer(scope, receive, _with_headers(send))


def _login(request: Request) -> str:
    """Return the way to the form for logging in, and from there to the page that was asked for, or the first one."""
    base = str(request.scope["root_path"])
    target = f"{base}/"
    if request.scope[ASKED_METHOD] in SAFE_METHODS:
        target = quote(request.scope["path"]) + (f"?{request.url.query}" if request.url.query else "")
    return f"{root_of(request)}/accounts/login/?next={quote(target)}"


def _with_headers(send: Send) -> Send:
    """Have every answer carry our headers, and redirects name paths alone: what host the client sees is not known."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(_HEADERS)
            if "location" in headers:
                headers["location"] = urlunsplit(("", "", *urlsplit(headers["location"])[2:]))
        await send(message)

    return wrapped
