"""The prefix under which API Gateway serves the API: a stage's name, or a custom domain's base path."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["StagePrefix", "root_of", "stage_prefix"]


class StagePrefix:
    """Middleware that makes the prefix known to the application, which leaves it out of routing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self.app({**scope, "root_path": stage_prefix(scope.get("aws.event", {}))}, receive, send)


def root_of(connection: HTTPConnection) -> str:
    """Return the prefix that the archive's paths have for the client, whatever is mounted below it; mostly empty."""
    return str(connection.scope.get("app_root_path", connection.scope.get("root_path", ""))).rstrip("/")


def stage_prefix(event: Mapping[str, Any]) -> str:
    """Return the part of the client's path that is not the API's, or an empty string.

    A REST API (payload 1.0) tells a path without the stage and, in its context, the client's path; behind a custom
    domain both have the base path, and only the proxy parameter has not. An HTTP API (payload 2.0) tells the client's
    path, with the stage unless that is ``$default``, as on function URLs.
    """
    context = event.get("requestContext") or {}
    if "http" in context:
        prefix, path = f"/{context.get('stage', '$default')}", str(context["http"].get("path", ""))
        return prefix if path == prefix or path.startswith(f"{prefix}/") else ""
    path, client_path = str(event.get("path") or ""), str(context.get("path") or "")
    proxy = str((event.get("pathParameters") or {}).get("proxy") or "").strip("/")
    if proxy and path.rstrip("/").endswith(f"/{proxy}"):
        path = path[path.rstrip("/").rindex(f"/{proxy}") :]
    return client_path.removesuffix(path).rstrip("/") if path and client_path.endswith(path) else ""
