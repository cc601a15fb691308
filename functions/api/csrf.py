"""Forged requests: what a browser sends with a session's cookie must show that our own page made it.

The token comes in the header ``X-CSRFToken``, or as field ``csrfmiddlewaretoken`` of a form, where it must stand within
the first 64 KiB: what was read in search of it is handed on, so that a long upload is never held in memory.
"""

import hmac
import re
from urllib.parse import unquote_plus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from shared.accounts.sessions import csrf_token

__all__ = ["FIELD", "SAFE_METHODS", "check_origin", "find_field", "is_same"]

FIELD = "csrfmiddlewaretoken"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_LOOK = 64 << 10
_MAX_PIECES = 256
_IN_FORM = re.compile(rb"(?:^|&)" + FIELD.encode() + rb"=([^&]{1,1000})(?:&|$)")
_IN_PARTS = re.compile(
    rb'\r\ncontent-disposition:[^\r\n]*[; \t]name="?' + FIELD.encode() + rb'"?[ \t]*\r\n'
    rb"(?:[^\r\n]+\r\n){0,8}\r\n([^\r\n]{1,1000})\r\n",
    re.IGNORECASE,
)


async def check_origin(request: Request, key: str) -> Receive:
    """Let a request with a session's cookie pass if it shows the session's token.

    Returns
    -------
    Receive
        What gives the whole body to whoever reads it next.

    Raises
    ------
    HTTPException
        403: there is no token, or another one.
    """
    given: str | None = request.headers.get("x-csrftoken")
    receive: Receive = request.receive
    if given is None:
        given, receive = await _field_ahead(request)
    if given is None:
        raise HTTPException(403, "CSRF Failed: CSRF token missing.")
    if not is_same(given, csrf_token(key)):
        raise HTTPException(403, "CSRF Failed: CSRF token incorrect.")
    return receive


def is_same(given: str, expected: str) -> bool:
    """Compare two tokens in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


def find_field(kind: str, body: bytes, *, whole: bool) -> str | None:
    """Return the token in the beginning of a form; None if it is not (yet) there.

    Parameters
    ----------
    kind
        The content type without its parameters.
    whole
        Whether the body ends here.
    """
    if kind == "application/x-www-form-urlencoded":
        match = _IN_FORM.search(body)
        is_cut = match is not None and match.end() == len(body) and not body.endswith(b"&") and not whole
        return unquote_plus(match[1].decode("latin-1")) if match and not is_cut else None
    if kind == "multipart/form-data":
        match = _IN_PARTS.search(b"\r\n" + body)
        return match[1].decode("latin-1") if match else None
    return None


async def _field_ahead(request: Request) -> tuple[str | None, Receive]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    read: list[Message] = []
    body, found, more = b"", None, True
    while found is None and more and len(body) < _LOOK and len(read) < _MAX_PIECES:
        message = await request.receive()
        read.append(message)
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        found = find_field(kind, body[:_LOOK], whole=not more)

    async def replay() -> Message:
        return read.pop(0) if read else await request.receive()

    return found, replay
