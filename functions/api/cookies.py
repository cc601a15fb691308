"""The cookies of people: the session's, and the token that their forms must carry."""

import re
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from functions.api.dependencies import get_services
from functions.api.peer import is_https
from shared.accounts.sessions import csrf_token

__all__ = ["CSRF_COOKIE", "SESSION_COOKIE", "forget_session", "form_token", "keep_form_token", "keep_session"]

SESSION_COOKIE = "sessionid"
CSRF_COOKIE = "csrftoken"
"""Clients of the predecessor look for a cookie whose name ends so."""

_FORM_TOKEN = re.compile(r"[0-9a-f]{64}")


def form_token(request: Request) -> str:
    """Return what the forms of this client must carry: made of its session, else the cookie it has, else random."""
    if key := request.cookies.get(SESSION_COOKIE):
        return csrf_token(key)
    kept = request.cookies.get(CSRF_COOKIE, "")
    return kept if _FORM_TOKEN.fullmatch(kept) else secrets.token_hex(32)


def keep_form_token(request: Request, response: Response, token: str) -> None:
    """Let the client keep the token; its scripts may read it."""
    response.set_cookie(CSRF_COOKIE, token, **_options(request), httponly=False)
    response.headers["Cache-Control"] = "no-store"


def keep_session(request: Request, response: Response, key: str) -> None:
    """Let the client keep a new session, and the token that belongs to it."""
    response.set_cookie(SESSION_COOKIE, key, **_options(request), httponly=True)
    keep_form_token(request, response, csrf_token(key))


def forget_session(request: Request, response: Response) -> None:
    """Let the client forget its session."""
    secure = is_https(request)
    response.delete_cookie(SESSION_COOKIE, path="/", secure=secure, httponly=True, samesite="lax")
    response.delete_cookie(CSRF_COOKIE, path="/", secure=secure, samesite="lax")
    response.headers["Cache-Control"] = "no-store"


def _options(request: Request) -> dict[str, Any]:
    life = get_services(request).settings.session_seconds
    return {"max_age": life, "path": "/", "secure": is_https(request), "samesite": "lax"}
