"""What a request to the panel must be: of a superuser, and if it changes anything, made by a page of ours."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.api.cookies import SESSION_COOKIE
from functions.api.csrf import SAFE_METHODS, check_origin
from functions.api.envelope import ASKED_METHOD
from shared.accounts.account import Role

__all__ = ["Guard"]

_MAX_BODY = 64 << 10
_OURS = ("same-origin", "none")
"""What a browser says of a request that a page of ours made, or its user by hand (Fetch Metadata)."""


class Guard:
    """Middleware around the panel's routes; it raises HTTPException for what may not pass."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass."""
        request = Request(scope, _bounded(receive))
        if not request.state.account.may(Role.SUPERUSER):
            raise HTTPException(403, "Your account does not have the right to see this page.")
        if scope[ASKED_METHOD] not in SAFE_METHODS:
            if request.headers.get("sec-fetch-site", "none") not in _OURS:
                raise HTTPException(403, "CSRF Failed: the request comes from another site.")
            receive = await check_origin(request, request.cookies[SESSION_COOKIE])
        await self.app(scope, receive, send)


def _bounded(receive: Receive) -> Receive:
    """Let no body be longer than a form of the panel."""
    length = 0

    async def bounded() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > _MAX_BODY:
            raise HTTPException(413, f"The request body is longer than {_MAX_BODY} bytes.")
        return message

    return bounded
