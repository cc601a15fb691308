"""A frame's own bytes, by a link into the store: they do not pass through the API."""

import datetime as dt

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from functions.api.authentication import TOKEN_SCHEME, UserRoute
from functions.api.dependencies import get_services
from functions.api.lookup import find_frame
from functions.api.parameters import query_parameter
from functions.api.paths import FrameId
from functions.api.presentation import download_document
from functions.api.schemas import ERRORS, Download
from shared.database import utc_now
from shared.errors import InvalidParameterError

__all__ = ["router"]

_REDIRECTS = {"": True, "true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

router = APIRouter(
    prefix="/frames",
    tags=["files"],
    route_class=UserRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (400, 401, 404, 502, 503)},
)


@router.get(
    "/{frame_id:digits}/download/",
    summary="Download a frame",
    response_model=None,
    responses={
        200: {"model": Download, "description": "With `redirect=false`: the link."},
        302: {"description": "The link, which needs no token and lives for minutes."},
    },
    openapi_extra={"parameters": [query_parameter("redirect", "`false`: tell the link only.", type="boolean")]},
)
def get_download(request: Request, frame_id: FrameId) -> Response:
    """Redirect to a link to the frame's bytes in the store, under its own file name."""
    redirects = _REDIRECTS.get(request.query_params.get("redirect", "").lower())
    if redirects is None:
        raise InvalidParameterError("redirect")
    services = get_services(request)
    frame = find_frame(request, frame_id).frame
    life = dt.timedelta(seconds=services.settings.link_seconds)
    expires = utc_now() + life
    url = services.store.presign_get(
        frame.key, bucket=frame.bucket, filename=frame.filename, expires=life, version_id=frame.version_id
    )
    headers = {"Cache-Control": "no-store", "Set-Cookie": "fileDownload=true; Path=/"}
    if redirects:
        return Response(status_code=302, headers=headers | {"Location": url})
    return JSONResponse(download_document(frame, url=url, expires=expires), headers=headers)
