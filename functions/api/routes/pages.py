"""The documentation of the REST interface."""

from html import escape

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, JSONResponse, Response

from functions.api.openapi import openapi_document
from functions.api.stage import root_of

__all__ = ["router"]

_DOCS_POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    "style-src https://cdn.jsdelivr.net 'unsafe-inline'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "connect-src 'self'; frame-ancestors 'none'"
}

_EMPTY = '<div id="swagger-ui">'
_MEANWHILE = """
<p>This page is drawn by a script from cdn.jsdelivr.net. If nothing comes, your browser cannot reach it, or runs no
scripts: the same document is <a href="{address}">openapi.json</a>.</p>"""

router = APIRouter(tags=["service"], default_response_class=HTMLResponse)


@router.get("/docs", include_in_schema=False, response_model=None)
@router.get("/docs/", include_in_schema=False, response_model=None)
def get_docs(request: Request) -> Response:
    """Return the page that shows the OpenAPI document."""
    address = f"{root_of(request)}/openapi.json"
    page = get_swagger_ui_html(openapi_url=address, title=f"{request.app.title}: the REST interface")
    meanwhile = _EMPTY + _MEANWHILE.format(address=escape(address))
    return HTMLResponse(bytes(page.body).decode().replace(_EMPTY, meanwhile, 1), headers=_DOCS_POLICY)


@router.get("/openapi.json", include_in_schema=False, response_model=None)
def get_document(request: Request) -> Response:
    """Return the OpenAPI document."""
    return JSONResponse(openapi_document(request.app, root_of(request)))
