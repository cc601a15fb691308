"""Logging in and out with a browser."""

import asyncio
import datetime as dt
import logging
from collections.abc import Mapping

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from functions.api.cookies import CSRF_COOKIE, SESSION_COOKIE, forget_session, keep_session
from functions.api.credentials import CredentialFieldsError, check_fields, read_fields
from functions.api.csrf import FIELD, is_same
from functions.api.dependencies import Services, get_services
from functions.api.parameters import query_parameter
from functions.api.peer import client_address
from functions.api.schemas import ERRORS, Error, LoginForm, LogoutForm
from functions.api.stage import root_of
from functions.api.web.rendering import page
from functions.api.web.targets import safe_target
from shared.accounts.account import Account
from shared.accounts.login import log_in
from shared.accounts.sessions import close_session, csrf_token, find_by_session, open_session
from shared.database import read, write
from shared.errors import BadCredentialsError, TooManyAttemptsError

__all__ = ["router"]

_LOGIN, _LOGOUT = "/accounts/login/", "/accounts/logout/"
_HTML = {"text/html": {"schema": {"type": "string"}}}
_FORM = "application/x-www-form-urlencoded"
_TOO_OLD = "This form was too old. Please try again."

_logger = logging.getLogger(__name__)

router = APIRouter(tags=["accounts"])


@router.get(
    _LOGIN,
    summary="Show the form for logging in",
    response_model=None,
    responses={200: {"description": "The form.", "content": _HTML}},
    openapi_extra={"parameters": [query_parameter("next", "Path to go to afterwards.")]},
)
def get_login(request: Request) -> Response:
    """Return a form for name and password."""
    return _login_form(request, request.query_params.get("next", ""))


@router.post(
    _LOGIN,
    summary="Log in",
    status_code=302,
    response_model=None,
    responses={
        302: {"description": "Logged in: a session's cookie, and the way to `next`."},
        400: {
            "model": Error,
            "description": "No such name and password: the form again. JSON for a body that cannot be read.",
            "content": {**_HTML},
        },
        403: {"description": "The form's token is missing or too old: the form again.", "content": _HTML},
        413: {"model": Error, "description": "The body is longer than 64 KiB."},
        415: {"model": Error, "description": "The body is neither form nor JSON."},
        429: {"description": "Too many wrong passwords: the form again.", "content": _HTML},
        503: ERRORS[503],
    },
    openapi_extra={"requestBody": {"required": True, "content": {_FORM: {"schema": LoginForm.model_json_schema()}}}},
)
async def post_login(request: Request) -> Response:
    """Begin a session for a user name and password."""
    given = await _read_texts(request)
    target = given.get("next", "")
    expected = request.cookies.get(CSRF_COOKIE, "")
    if not expected or not is_same(given.get(FIELD, ""), expected):
        return _login_form(request, target, problem=_TOO_OLD, status=403)
    services = get_services(request)
    try:
        username, password = check_fields(given)
        address, before = client_address(request), request.cookies.get(SESSION_COOKIE)
        begun = services.login_threads.submit(_begin, services, username, password, address, before)
        key = await asyncio.wrap_future(begun)
    except (CredentialFieldsError, BadCredentialsError):
        _logger.warning("login refused")
        problem = "There is no account with this name and password."
        return _login_form(request, target, username=given.get("username", ""), problem=problem, status=400)
    except TooManyAttemptsError as error:
        _logger.warning("login put off", extra={"seconds": error.seconds})
        problem = f"Too many wrong passwords. Please wait {error.seconds} seconds."
        answer = _login_form(request, target, username=given.get("username", ""), problem=problem, status=429)
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
    answer = RedirectResponse(safe_target(target, root_of(request) + "/"), 302)
    keep_session(request, answer, key)
    return answer


@router.get(
    _LOGOUT,
    summary="Show the form for logging out",
    response_model=None,
    responses={200: {"description": "The form.", "content": _HTML}},
)
def get_logout(request: Request) -> Response:
    """Return a button that ends the session."""
    return _logout_form(request)


@router.post(
    _LOGOUT,
    summary="Log out",
    status_code=302,
    response_model=None,
    responses={
        302: {"description": "Logged out: the way to the form for logging in."},
        400: ERRORS[400],
        403: {"description": "The form's token is missing or wrong: the form again.", "content": _HTML},
        413: {"model": Error, "description": "The body is longer than 64 KiB."},
        415: {"model": Error, "description": "The body is neither form nor JSON."},
        503: ERRORS[503],
    },
    openapi_extra={"requestBody": {"content": {_FORM: {"schema": LogoutForm.model_json_schema()}}}},
)
async def post_logout(request: Request) -> Response:
    """End the session."""
    fields = await _read_texts(request)
    key = request.cookies.get(SESSION_COOKIE)
    if key is not None and await run_in_threadpool(_is_session, get_services(request), key):
        given = request.headers.get("x-csrftoken") or fields.get(FIELD, "")
        if not is_same(given, csrf_token(key)):
            return _logout_form(request, status=403)
        await run_in_threadpool(_end, get_services(request), key)
    answer = RedirectResponse(root_of(request) + _LOGIN, 302)
    forget_session(request, answer)
    return answer


async def _read_texts(request: Request) -> dict[str, str]:
    fields = await read_fields(request)
    given = fields.items() if isinstance(fields, Mapping) else ()
    return {name: value for name, value in given if isinstance(name, str) and isinstance(value, str)}


def _login_form(request: Request, target: str, *, username: str = "", problem: str = "", status: int = 200) -> Response:
    target = safe_target(target, "")
    return page(request, "login.html", status=status, target=target, username=username, problem=problem)


def _logout_form(request: Request, *, status: int = 200) -> Response:
    return page(request, "logout.html", status=status)


def _begin(services: Services, username: str, password: str, address: str | None, before: str | None) -> str:
    """Open a session in place of the one that the browser had."""
    life = dt.timedelta(seconds=services.settings.session_seconds)

    def grant(session: Session, account: Account) -> str:
        if before is not None:
            close_session(session, before)
        _logger.info("session begun", extra={"account": account.id})
        return open_session(session, account, life)

    return log_in(services.sessions, username, password, address=address, grant=grant)


def _is_session(services: Services, key: str) -> bool:
    with read(services.sessions) as session:
        return find_by_session(session, key) is not None


def _end(services: Services, key: str) -> None:
    with write(services.sessions) as session:
        close_session(session, key)
