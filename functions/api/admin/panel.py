"""The panel: its views, and what of sqladmin is reachable."""

from collections.abc import Mapping
from pathlib import Path
from types import new_class
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import jinja2
from sqladmin import Admin, ModelView
from sqlalchemy import create_engine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.api.admin.accounts import AccountView
from functions.api.admin.failures import FailureView
from functions.api.admin.frames import FrameView
from functions.api.admin.guard import Guard
from functions.api.admin.overview import overview
from functions.api.admin.sessions import SessionView
from functions.api.admin.tokens import TokenView
from functions.api.cookies import form_token
from functions.api.csrf import FIELD
from functions.api.stage import root_of
from functions.api.web.assets import MODULES, asset_path
from functions.api.web.rendering import TEMPLATES
from functions.api.web.route import trouble

__all__ = ["make_panel"]

_BASE = "/admin"
_TEMPLATES = Path(__file__).with_name("templates")
_VIEWS: Mapping[str, type[ModelView]] = {
    "accounts": AccountView,
    "tokens": TokenView,
    "sessions": SessionView,
    "frames": FrameView,
    "failures": FailureView,
}
_REACHABLE = ("index", "list", "details")
"""Routes of sqladmin that are: those that read. It has others for forms, files, export, import and logins."""


class _Panel(Admin):
    async def index(self, request: Request) -> Response:
        """Answer the first page."""
        context = {"overview": await run_in_threadpool(overview, request)}
        return await self.templates.TemplateResponse(request, "sqladmin/index.html", context)


def make_panel() -> ASGIApp:
    """Make the panel for accounts that are known already (``request.state.account``)."""
    nowhere = create_engine("sqlite://")  # the views ask the index themselves, and bounded
    panel = _Panel(Starlette(), nowhere, base_url=_BASE)
    panel.admin.router.routes = [
        route for route in panel.admin.router.routes if isinstance(route, Route) and route.name in _REACHABLE
    ]
    for identity, view in _VIEWS.items():
        panel.add_view(_own(view, identity))
    panel.templates.env.globals.update(
        url_for=_path_for, asset=_asset, modules=MODULES, token_of=form_token, token_field=FIELD, root_of=root_of
    )
    panel.templates.env.loader = jinja2.FileSystemLoader([_TEMPLATES, TEMPLATES])
    panel.templates.env.filters["path"] = _path_of
    routes = Router([Mount(_BASE, routes=panel.admin.router.routes, name="admin")])

    async def tell(request: Request, error: Exception) -> Response:
        return trouble(Request({**request.scope, "root_path": root_of(request)}, request.receive), error)

    guarded = ExceptionMiddleware(Guard(routes), handlers={HTTPException: tell, Exception: tell})
    return _Unmounted(guarded, routes)


def _own(view: type[ModelView], identity: str) -> type[ModelView]:
    """Return a class of this panel's own, since sqladmin writes into it: a process may have several panels."""
    return new_class(view.__name__, (view,), exec_body=lambda body: body.update(identity=identity))


class _Unmounted:
    """Undoes the mount, so that the panel's own routes know the whole path and make the URLs."""

    def __init__(self, app: ASGIApp, router: Router) -> None:
        self.app = app
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = {key: value for key, value in scope.items() if key not in ("endpoint", "path_params")}
        await self.app({**kept, "root_path": root_of(Request(scope)), "router": self._router}, receive, send)


@jinja2.pass_context
def _path_for(context: Mapping[str, Any], name: str, /, **values: object) -> str:
    request: Request = context["request"]
    return _path_of(request.url_for(name, **values))


@jinja2.pass_context
def _asset(context: Mapping[str, Any], name: str) -> str:
    return root_of(context["request"]) + asset_path(name)


def _path_of(url: object) -> str:
    """Return a URL of ours without scheme and host, which a proxy may have changed."""
    return urlunsplit(("", "", *urlsplit(str(url))[2:]))
