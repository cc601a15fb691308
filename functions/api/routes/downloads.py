"""A frame's own bytes: by a link into the store, or through us for clients that cannot follow it safely."""

import datetime as dt

from fastapi import Request
from starlette.responses import JSONResponse, Response

from functions.api.dependencies import get_services
from functions.api.lookup import find_frame
from functions.api.parameters import query_parameter
from functions.api.paths import FrameId
from functions.api.presentation import download_document
from functions.api.routers import frame_files_router
from functions.api.schemas import Download, Error
from functions.api.streams import DOWNLOAD_COOKIE, sends_token_on, stream_object
from shared.database import utc_now
from shared.errors import InvalidParameterError
from shared.index.models import Frame
from shared.store.model import ObjectState
from shared.store.presign import content_disposition

__all__ = ["router"]

_REDIRECTS = {"": None, "true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_FITS = "image/fits"
_BYTES = {_FITS: {"schema": {"type": "string", "format": "binary"}}}

router = frame_files_router()


@router.get(
    "/{frame_id:digits}/download/",
    summary="Download a frame",
    response_model=None,
    responses={
        200: {"model": Download, "description": "With `redirect=false` the link; or the frame.", "content": _BYTES},
        206: {"description": "The part of the frame that Range asks for.", "content": _BYTES},
        302: {"description": "The link, which needs no token and lives for minutes."},
        413: {"model": Error, "description": "The client takes no link, and the frame is too large to be served here."},
        416: {"model": Error, "description": "The frame has no such range."},
    },
    openapi_extra={
        "parameters": [
            query_parameter("redirect", "`false`: tell the link only; `true`: whatever the client is.", type="boolean")
        ]
    },
)
def get_download(request: Request, frame_id: FrameId) -> Response:
    """Redirect to a link to the frame's bytes in the store, under its own file name.

    Clients that would send their token on to the store, which refuses it (wget with `--header`, Python's urllib), are
    known by their User-Agent and get the bytes from here.
    """
    word = request.query_params.get("redirect", "").lower()
    if word not in _REDIRECTS:
        raise InvalidParameterError("redirect")
    redirects = _REDIRECTS[word]
    frame = find_frame(request, frame_id).frame
    if redirects is None and sends_token_on(request):
        return _served(request, frame)
    services = get_services(request)
    life = dt.timedelta(seconds=services.settings.link_seconds)
    expires = utc_now() + life
    url = services.store.presign_get(
        frame.key, bucket=frame.bucket, filename=frame.filename, expires=life, version_id=frame.version_id
    )
    headers = {"Cache-Control": "no-store", "Set-Cookie": DOWNLOAD_COOKIE}
    if redirects is False:
        return JSONResponse(download_document(frame, url=url, expires=expires), headers=headers)
    return Response(status_code=302, headers=headers | {"Location": url})


def _served(request: Request, frame: Frame) -> Response:
    state = ObjectState(
        bucket=frame.bucket,
        key=frame.key,
        etag=frame.etag,
        size=frame.size,
        last_modified=frame.last_modified,
        version_id=frame.version_id,
    )
    headers = {
        "Content-Type": _FITS,
        "Content-Disposition": content_disposition(frame.filename),
        "Set-Cookie": DOWNLOAD_COOKIE,
    }
    return stream_object(request, state, headers)
