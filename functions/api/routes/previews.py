"""A frame's previews, as ingest left them in the store."""

import re

from fastapi import Request
from starlette.responses import Response

from functions.api.lookup import find_frame, read_derived
from functions.api.parameters import query_parameter
from functions.api.paths import FrameId
from functions.api.routers import frame_files_router
from shared.errors import InvalidParameterError
from shared.store.naming import PREVIEW_LARGE, PREVIEW_SMALL

__all__ = ["router"]

_MAX_BYTES = 16 << 20
_NAMES = {"": PREVIEW_SMALL, "small": PREVIEW_SMALL, "large": PREVIEW_LARGE}
_IMAGE_TYPES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))
_A_WEEK = "private, max-age=604800"
_ENOUGH = 8
_NOT_IN_ETAG = re.compile(r"[^\x21\x23-\x7e]")

router = frame_files_router()


@router.get(
    "/{frame_id:digits}/preview/",
    summary="Show a frame's preview",
    response_model=None,
    responses={
        200: {"description": "The picture.", "content": {kind: {} for _, kind in _IMAGE_TYPES}},
        304: {"description": "The picture that the client has (If-None-Match) is still right."},
    },
    openapi_extra={
        "parameters": [
            query_parameter("size", "`large`: up to 1024 pixels.", enum=["small", "large"]),
            query_parameter(
                "of", "The beginning of the frame's `sha256`: clients may then keep the picture for a week."
            ),
        ]
    },
)
def get_preview(request: Request, frame_id: FrameId) -> Response:
    """Return the preview that ingest made: a PNG of 200 pixels width, or a large one."""
    name = _NAMES.get(request.query_params.get("size", ""))
    if name is None:
        raise InvalidParameterError("size")
    frame = find_frame(request, frame_id).frame
    headers = {"ETag": f'"{_NOT_IN_ETAG.sub("", frame.etag)}"'}
    of = request.query_params.get("of", "")
    if len(of) >= _ENOUGH and frame.sha256.startswith(of):
        headers["Cache-Control"] = _A_WEEK
    if _has_match(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    picture = read_derived(request, frame, name, _MAX_BYTES)
    kind = next((kind for magic, kind in _IMAGE_TYPES if picture.startswith(magic)), "application/octet-stream")
    return Response(picture, media_type=kind, headers=headers)


def _has_match(header: str, etag: str) -> bool:
    """Tell whether an If-None-Match header names ``etag`` (RFC 9110, section 13.1.2: weak comparison)."""
    return header.strip() == "*" or etag in [part.strip().removeprefix("W/") for part in header.split(",")]
