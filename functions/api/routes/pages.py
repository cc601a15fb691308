"""The pages for people: a small start page without scripts, and the documentation."""

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, JSONResponse, Response

from functions.api.cookies import form_token, keep_form_token
from functions.api.html import POLICY, page
from functions.api.openapi import openapi_document

__all__ = ["router"]

_HOME = """<p>An archive of astronomical images. Put a FITS file into the bucket, and it is archived.</p>
<ul>
<li><a href="docs">Documentation of the REST interface</a></li>
<li><a href="health/">State of the archive</a></li>
<li>Frames: <code>frames/</code>, with a token of <code>api-token-auth/</code>, or after
<a href="accounts/login/">logging in</a></li>
</ul>
"""
_DOCS_POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    "style-src https://cdn.jsdelivr.net 'unsafe-inline'; img-src 'self' data: https://fastapi.tiangolo.com; "
    "connect-src 'self'; frame-ancestors 'none'"
}

router = APIRouter(tags=["service"], default_response_class=HTMLResponse)


@router.get("/", summary="Show the start page", response_model=None)
def get_home(request: Request) -> Response:
    """Return a page that says what this is, and the cookie `csrftoken` that forms must carry."""
    answer = HTMLResponse(page("fitsvault", _HOME), headers=POLICY)
    keep_form_token(request, answer, form_token(request))
    return answer


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
