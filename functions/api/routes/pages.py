"""The documentation of the REST interface."""

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, JSONResponse, Response

from functions.api.openapi import openapi_document

__all__ = ["router"]

_DOCS_POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    "style-src https://cdn.jsdelivr.net 'unsafe-inline'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "connect-src 'self'; frame-ancestors 'none'"
}

router = APIRouter(tags=["service"], default_response_class=HTMLResponse)


@router.get("/docs", include_in_schema=False, response_model=None)
@router.get("/docs/", include_in_schema=False, response_model=None)
def get_docs(request: Request) -> Response:
    """Return the page that shows the OpenAPI document."""
    page = get_swagger_ui_html(
        openapi_url=f"{_prefix(request)}/openapi.json", title=f"{request.app.title}: the REST interface"
    )
    page.headers.update(_DOCS_POLICY)
    return page


@router.get("/openapi.json", include_in_schema=False, response_model=None)
def get_document(request: Request) -> Response:
    """Return the OpenAPI document."""
    return JSONResponse(openapi_document(request.app, _prefix(request)))


def _prefix(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")
