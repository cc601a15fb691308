"""A frame's headers, as ingest left them in the store."""

import json

from fastapi import Request
from starlette.responses import JSONResponse, Response

from functions.api.lookup import find_frame, read_derived
from functions.api.parameters import query_parameter
from functions.api.paths import FrameId
from functions.api.routers import frame_files_router
from functions.api.schemas import Headers
from shared.errors import InvalidParameterError
from shared.fits.document import full_results, science_results
from shared.store.naming import HEADERS

__all__ = ["router"]

_MAX_BYTES = 64 << 20
_RENDERINGS = {"": science_results, "json": science_results, "full": full_results}

router = frame_files_router()


@router.get(
    "/{frame_id:digits}/headers/",
    summary="Show a frame's headers",
    response_model=None,
    responses={200: {"model": Headers}},
    openapi_extra={"parameters": [query_parameter("format", "`full`: every HDU, with comments.", enum=["full"])]},
)
def get_headers(request: Request, frame_id: FrameId) -> Response:
    """Return the cards of the science header, sorted by key, or of every HDU."""
    render = _RENDERINGS.get(request.query_params.get("format", ""))
    if render is None:
        raise InvalidParameterError("format")
    frame = find_frame(request, frame_id).frame
    document = json.loads(read_derived(request, frame, HEADERS, _MAX_BYTES))
    return JSONResponse({"results": render(document)})
