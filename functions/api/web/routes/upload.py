"""The page of uploads, for staff: files go from the browser straight to the store."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from functions.api.upload_schemas import MOST_KEYS
from functions.api.web.rendering import page
from functions.api.web.route import StaffPageRoute

__all__ = ["router"]

router = APIRouter(route_class=StaffPageRoute, default_response_class=HTMLResponse, include_in_schema=False)


@router.get("/view/upload/", response_model=None)
def get_upload_page(request: Request) -> Response:
    """Return the page; its scripts do the rest, and without them a form sends files through the archive."""
    return page(request, "upload.html", uploads=True, most_keys=MOST_KEYS)
