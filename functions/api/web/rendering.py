"""Pages from templates: every value is escaped, and no page runs a script or style that is not ours."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from functions.api.cookies import form_token, keep_form_token
from functions.api.dependencies import get_services
from functions.api.stage import root_of
from functions.api.web import wording
from functions.api.web.assets import MODULES, asset_path
from functions.api.web.origins import store_origins
from shared.accounts.account import Account, Role

__all__ = ["TEMPLATES", "page", "render"]

TEMPLATES = Path(__file__).parent / "templates"


def page(request: Request, template: str, *, status: int = 200, uploads: bool = False, **values: Any) -> Response:
    """Return a page, and with it the cookie that forms must carry.

    Parameters
    ----------
    template
        Name of the template; it sees ``values``, ``account`` (None for nobody), ``root`` and ``form_token``.
    uploads
        Whether its scripts write to the store.
    """
    account: Account | None = getattr(request.state, "account", None)
    token, root = form_token(request), root_of(request)
    common = {
        "account": account,
        "is_staff": account is not None and account.may(Role.STAFF),
        "is_superuser": account is not None and account.may(Role.SUPERUSER),
        "form_token": token,
        "root": root,
        "asset": lambda name: root + asset_path(name),
        "path": request.url.path.removeprefix(root),
    }
    policy = _policy(request, uploads=uploads)
    answer = HTMLResponse(render(template, common | values), status, {"Content-Security-Policy": policy})
    keep_form_token(request, answer, token)
    return answer


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template with its values as HTML; what no text in UTF-8 can hold becomes a question mark."""
    html = _environment().get_template(template).render(values)
    return html.encode("utf-8", "replace").decode()


def _policy(request: Request, *, uploads: bool) -> str:
    """Return the content security policy; forms may end at the store, where zips come from."""
    store = " ".join(store_origins(get_services(request).settings))
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "connect-src": f"'self' {store}" if uploads else "'self'",
        "form-action": f"'self' {store}",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(wording=wording, modules=MODULES)
    return environment
