"""A frame's catalogue, as ingest left it in the store."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from functions.api.authentication import TOKEN_SCHEME, UserRoute
from functions.api.lookup import find_frame, look_at_derived
from functions.api.paths import FrameId
from functions.api.schemas import ERRORS, Error
from functions.api.streams import stream_object
from shared.store.naming import CATALOG

__all__ = ["router"]

_CSV = "text/comma-separated-values"
_ROWS = {_CSV: {"schema": {"type": "string"}}}

router = APIRouter(
    prefix="/frames",
    tags=["files"],
    route_class=UserRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (401, 404, 502, 503)},
)


@router.get(
    "/{frame_id:digits}/catalog/",
    summary="Show a frame's catalogue",
    response_model=None,
    responses={
        200: {"description": "Rows of the table CAT, header line first; empty without.", "content": _ROWS},
        206: {"description": "The part of it that Range asks for.", "content": _ROWS},
        413: {"model": Error, "description": "More than this archive sends at once. Ask for ranges."},
        416: {"model": Error, "description": "It has no such range."},
    },
)
def get_catalog(request: Request, frame_id: FrameId) -> Response:
    """Return the table CAT as CSV that ingest made of it, or nothing where a frame has none."""
    frame = find_frame(request, frame_id).frame
    if frame.catalog_rows is None:
        return Response(b"", headers={"Content-Type": _CSV})
    return stream_object(request, look_at_derived(request, frame, CATALOG), {"Content-Type": _CSV})
