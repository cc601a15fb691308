"""Who asks: tokens in headers, sessions in cookies, and the routes that want to know."""

import logging

from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from functions.api.cookies import SESSION_COOKIE
from functions.api.csrf import SAFE_METHODS, check_origin
from functions.api.dependencies import get_services
from functions.api.envelope import ASKED_METHOD
from functions.api.errors import describe
from shared.accounts.account import Account, Role
from shared.accounts.models import Token
from shared.accounts.sessions import find_by_session
from shared.accounts.tokens import find_by_token, record_use, used_lately
from shared.database import read, write

__all__ = [
    "TOKEN_SCHEME",
    "StaffRoute",
    "UserRoute",
    "account_of_key",
    "account_of_request",
    "account_of_session",
    "key_in_headers",
    "read_key",
    "session_of_request",
]

_SCHEMES = ("token", "bearer")
_HEADERS = ("authorization", "authentication")
_CHALLENGE = {"WWW-Authenticate": "Token"}

_logger = logging.getLogger(__name__)

TOKEN_SCHEME = APIKeyHeader(
    name="Authorization",
    scheme_name="Token",
    description="`Token <key>` or `Bearer <key>`, with a key of `/api-token-auth/`.",
    auto_error=False,
)
"""How the OpenAPI document describes tokens; `UserRoute` is what checks them."""


class UserRoute(APIRoute):
    """A route for accounts. Whoever asks is checked before method, parameters and body are looked at."""

    role = Role.USER

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; its account is ``request.state.account``."""
        request = Request(scope, receive)
        account = await run_in_threadpool(account_of_request, request)
        key = session_of_request(request)
        if key is not None and scope[ASKED_METHOD] not in SAFE_METHODS:
            receive = await check_origin(request, key)
        if not account.may(self.role):
            raise HTTPException(403, "You do not have permission to perform this action.")
        request.state.account = account
        await self.answer(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of somebody who may ask."""
        await super().handle(scope, receive, send)


class StaffRoute(UserRoute):
    """A route for staff."""

    role = Role.STAFF


def account_of_request(request: Request) -> Account:
    """Return the account whose token or session the request carries; a token outweighs a session.

    Raises
    ------
    HTTPException
        401: there is neither, or a header that cannot be read.
    BadTokenError, InactiveAccountError
        The token is not one that lets in.
    """
    key = key_in_headers(request)
    account = account_of_key(request, key) if key is not None else account_of_session(request)
    if account is None:
        raise HTTPException(401, "Authentication credentials were not provided.", _CHALLENGE)
    return account


def account_of_key(request: Request, key: str) -> Account:
    """Return the account that a token's key opens, and write down that it was used.

    Raises
    ------
    BadTokenError, InactiveAccountError
        The token is not one that lets in.
    """
    sessions = get_services(request).sessions
    with read(sessions) as session:
        account, token = find_by_token(session, key)
    if not used_lately(token):
        _record_use(request, token)
    return account


def session_of_request(request: Request) -> str | None:
    """Return the key of the session that lets the request in; None if it carries a token, or no session."""
    return request.cookies.get(SESSION_COOKIE) if key_in_headers(request) is None else None


def read_key(header: str) -> str | None:
    """Return the key in a header ``Token <key>`` or ``Bearer <key>``; None if it speaks of something else.

    Raises
    ------
    HTTPException
        401: no key behind the scheme, or more than one word.
    """
    scheme, *words = header.replace("\t", " ").strip(" ").split(" ")
    if scheme.lower() not in _SCHEMES:
        return None
    keys = [word for word in words if word]
    if not keys:
        raise HTTPException(401, "Invalid token header. No credentials provided.", _CHALLENGE)
    if len(keys) > 1:
        raise HTTPException(401, "Invalid token header. Token string should not contain spaces.", _CHALLENGE)
    return keys[0]


def key_in_headers(request: Request) -> str | None:
    """Return the key that the headers carry; None if there is none. Raises as `read_key` does."""
    return next((key for name in _HEADERS if (key := read_key(request.headers.get(name, ""))) is not None), None)


def account_of_session(request: Request) -> Account | None:
    """Return the account whose session's cookie the request has; None without, or once the session is over."""
    key = request.cookies.get(SESSION_COOKIE)
    if key is None:
        return None
    with read(get_services(request).sessions) as session:
        return find_by_session(session, key)


def _record_use(request: Request, token: Token) -> None:
    """Write down the use; that it cannot be written is no reason to refuse an answer."""
    try:
        with write(get_services(request).sessions) as session:
            record_use(session, token)
    except SQLAlchemyError as error:
        _logger.warning("use of a token not recorded", extra={"token_id": token.id} | describe(error))
