"""Paths and methods that no route takes: 301 where only the last slash is missing, else 404 or 405."""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from functions.api.envelope import ASKED_METHOD
from functions.api.errors import answer_to

__all__ = ["add_routing_answers"]

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_QUERY_SAFE = "!$&'()*+,;=:@/?%-._~[]"


def add_routing_answers(app: FastAPI) -> None:
    """Let the application answer what its routes do not take, and every other HTTP exception."""
    app.add_exception_handler(HTTPException, _http_exception)


async def _http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404:
        detail = error.detail if error.detail != HTTPStatus.NOT_FOUND.phrase else "Not found."
        return _slash_redirect(request) or answer_to(request, 404, detail)
    if error.status_code == 405:
        detail = f'Method "{request.scope.get(ASKED_METHOD, request.method)}" not allowed.'
        return answer_to(request, 405, detail, {"Allow": ", ".join(_allowed(request))})
    return answer_to(request, error.status_code, error.detail, error.headers)


def _slash_redirect(request: Request) -> Response | None:
    """Return a redirect relative to the path asked for: it stays on this host, and under a stage's prefix."""
    path: str = request.scope["path"]
    if path.endswith("/") or not any(_takes(request, path + "/", method) for method in _METHODS):
        return None
    location = path.rpartition("/")[2] + "/"
    if query := request.scope["query_string"]:
        location += "?" + quote(query, safe=_QUERY_SAFE)
    return Response(status_code=301, headers={"Location": location})


def _allowed(request: Request) -> list[str]:
    allowed = [method for method in _METHODS if _takes(request, request.scope["path"], method)]
    return ["GET", "HEAD", *allowed[1:]] if "GET" in allowed else allowed


def _takes(request: Request, path: str, method: str) -> bool:
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": request.scope.get("root_path", ""),
        "headers": [],
    }
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
