"""Routes of pages: nobody without a session gets in, and what goes wrong is said on a page, too."""

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import quote

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from functions.api.authentication import account_of_request, session_of_request
from functions.api.cookies import form_token, keep_form_token
from functions.api.csrf import SAFE_METHODS, check_origin
from functions.api.envelope import ASKED_METHOD
from functions.api.errors import answer_of, describe
from functions.api.stage import root_of
from functions.api.web.rendering import page
from shared.accounts.account import Account, Role
from shared.errors import BadTokenError, InactiveAccountError

__all__ = ["PageRoute", "StaffPageRoute", "error_page", "trouble"]

_HEADINGS = {
    400: "That cannot be read",
    401: "Please log in",
    403: "Not allowed",
    404: "There is no such thing",
    405: "That cannot be done",
    410: "It is gone",
    413: "That is too much at once",
    429: "Too much at once",
    502: "The object store refused",
    503: "The archive cannot answer just now",
}

_OLD_FORM = "This form is too old", "You have logged in anew since. Go back, reload the page, and try again."

_logger = logging.getLogger(__name__)


class PageRoute(APIRoute):
    """A page for accounts; others are led to the form for logging in, and from there back."""

    role = Role.USER

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; its account is ``request.state.account``."""
        request = Request(scope, receive)
        try:
            account = await run_in_threadpool(_account_or_none, request)
            if account is None:
                await _to_login(request)(scope, receive, send)
                return
            request.state.account = account
            receive = await self._admit(request)
        except Exception as error:  # noqa: BLE001 - told on a page, and logged where it is a defect
            await trouble(request, error)(scope, receive, send)
        else:
            await super().handle(scope, receive, send)

    async def _admit(self, request: Request) -> Receive:
        """Return what gives the body to a page that this account may see; HTTPException 403 if it may not."""
        key, receive = session_of_request(request), request.receive
        if key is not None and request.scope[ASKED_METHOD] not in SAFE_METHODS:
            receive = await check_origin(request, key)
        if not request.state.account.may(self.role):
            raise HTTPException(403, "Your account does not have the right to see this page.")
        return receive

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request of somebody who may ask."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except Exception as error:  # noqa: BLE001 - as above
                return trouble(request, error)

        return answer


class StaffPageRoute(PageRoute):
    """A page for staff."""

    role = Role.STAFF


def _account_or_none(request: Request) -> Account | None:
    """Return who asks; None for whoever should log in (again)."""
    try:
        return account_of_request(request)
    except (BadTokenError, InactiveAccountError):
        return None
    except HTTPException as error:
        if error.status_code == 401:
            return None
        raise


def _to_login(request: Request) -> Response:
    if request.scope[ASKED_METHOD] not in SAFE_METHODS:
        return page(request, "error.html", status=401, heading="You are logged out", detail="Log in, and try again.")
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    answer = RedirectResponse(f"{root_of(request)}/accounts/login/?next={quote(target, safe='/')}", 302)
    keep_form_token(request, answer, form_token(request))
    return answer


def trouble(request: Request, error: Exception) -> Response:
    """Return a page that tells what went wrong, and log it where it is a defect."""
    return error_page(request, *_told(request, error))


def error_page(request: Request, status: int, detail: str, headers: Mapping[str, str]) -> Response:
    """Return a page that tells of an error."""
    heading = _HEADINGS.get(status, "That cannot be read" if status < 500 else "The archive failed to answer")
    if detail.startswith("CSRF Failed"):
        heading, detail = _OLD_FORM
    answer = page(request, "error.html", status=status, heading=heading, detail=detail)
    answer.headers.update(headers)
    return answer


def _told(request: Request, error: Exception) -> tuple[int, str, Mapping[str, str]]:
    if isinstance(error, HTTPException):
        return error.status_code, error.detail, error.headers or {}
    known = answer_of(request, error)
    if known is not None:
        return known.status, known.detail, known.headers or {}
    told = {"method": request.method, "path": request.url.path}
    _logger.error("unexpected error", extra=told | describe(error))
    return 500, "This was logged. If it happens again, tell whoever runs the archive.", {}
