"""From exceptions to answers: one table. Errors are JSON, ``{"detail": "…"}``, and pages for browsers that go there."""

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from functions.api.browsers import wants_page
from shared.database import is_timed_out
from shared.errors import (
    BadTokenError,
    InactiveAccountError,
    InvalidParameterError,
    ObjectGoneError,
    StoreError,
    StoreUnavailableError,
    TooManyAttemptsError,
)

__all__ = ["FrameNotFoundError", "Told", "add_error_answers", "answer", "answer_of", "answer_to", "describe"]

_logger = logging.getLogger(__name__)


class FrameNotFoundError(Exception):
    """No frame has this id. What it says is for people, where there is more to say."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer to an exception."""

    status: int
    detail: str
    headers: Mapping[str, str] | None = None


_CHALLENGE = {"WWW-Authenticate": "Token"}
_LATER = {"Retry-After": "5"}
_TOO_LONG = Told(503, "The query took too long and was given up. Narrow its filters.")
_INDEX_AWAY = Told(503, "The index is not available. Try again later.", _LATER)

_ANSWERS: dict[type[Exception], Told] = {
    BadTokenError: Told(401, "Invalid token.", _CHALLENGE),
    InactiveAccountError: Told(401, "User inactive or deleted.", _CHALLENGE),
    FrameNotFoundError: Told(404, "Not found."),
    ObjectGoneError: Told(404, "Not found."),
    ClientDisconnect: Told(400, "The request ended early."),
    StoreUnavailableError: Told(503, "The object store is not available. Try again later.", _LATER),
    StoreError: Told(502, "The object store refused."),
    OperationalError: _INDEX_AWAY,
    InterfaceError: _INDEX_AWAY,
    PoolTimeoutError: _INDEX_AWAY,
}


def add_error_answers(app: FastAPI) -> None:
    """Let the application answer the archive's exceptions."""
    for kind in _ANSWERS:
        app.add_exception_handler(kind, _from_table)
    app.add_exception_handler(TooManyAttemptsError, _too_many_attempts)
    app.add_exception_handler(InvalidParameterError, _from_table)
    app.add_exception_handler(RequestValidationError, _invalid_request)


def answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error answer."""
    return JSONResponse({"detail": detail}, status, headers)


def answer_to(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error answer as the client reads it: a page for a browser that goes somewhere, JSON for others."""
    if not wants_page(request):
        return answer(status, detail, headers)
    from functions.api.web.route import error_page  # noqa: PLC0415 - programs get none

    return error_page(request, status, detail, headers or {})


def describe(error: Exception) -> dict[str, object]:
    """Return what a log line tells of ``error``: no SQL parameters, the last calls in place of a traceback."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    calls = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "error": f"{type(cause).__name__}: {cause}"[:500],
        "at": [f"{call.filename}:{call.lineno} {call.name}" for call in calls],
    }


def answer_of(request: Request, error: Exception) -> Told | None:
    """Return what is told of one of the archive's exceptions, and log what is no client's fault; None for others."""
    if isinstance(error, InvalidParameterError):
        return Told(400, error.detail)
    is_late = is_timed_out(error)
    found = _TOO_LONG if is_late else next((_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS), None)
    if found is not None and found.status >= 500:
        extra = {"method": request.method, "path": request.url.path, "status": found.status}
        query = {"query": str(request.url.query)[:500]} if is_late else {}
        _logger.error("query timed out" if is_late else "no answer", extra=extra | query | describe(error))
    return found


async def _from_table(request: Request, error: Exception) -> Response:
    found = answer_of(request, error)
    if found is None:
        raise error
    is_told = isinstance(error, FrameNotFoundError) and str(error) and wants_page(request)
    return answer_to(request, found.status, str(error) if is_told else found.detail, found.headers)


async def _too_many_attempts(request: Request, error: Exception) -> Response:
    seconds = error.seconds if isinstance(error, TooManyAttemptsError) else 1
    detail = f"Request was throttled. Expected available in {seconds} second{'s' if seconds > 1 else ''}."
    return answer_to(request, 429, detail, {"Retry-After": str(seconds), "Cache-Control": "no-store"})


async def _invalid_request(request: Request, error: Exception) -> Response:
    names = [str(item["loc"][-1]) for item in error.errors()] if isinstance(error, RequestValidationError) else []
    return answer_to(request, 400, f"Invalid value for {names[0]}." if names else "Invalid request.")
