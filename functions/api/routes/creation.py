"""Frames uploaded by form, and frames deleted."""

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from functions.api.authentication import TOKEN_SCHEME, StaffRoute
from functions.api.credentials import read_fields
from functions.api.dependencies import get_services
from functions.api.lookup import find_frame
from functions.api.paths import FrameId
from functions.api.schemas import ERRORS, Created, Error
from functions.api.uploaded_files import UploadedFile, uploaded_files
from shared.errors import UploadError
from shared.intake.service import Intake

__all__ = ["router"]

_FILES: dict[str, Any] = {
    "requestBody": {
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "description": "Every field with a file name is a file, whatever the field is called.",
                    "additionalProperties": {"type": "string", "format": "binary"},
                }
            },
            "application/json": {"schema": {"type": "object", "description": "No files: nothing is created."}},
        }
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Created},
    400: {"model": Error, "description": "The body cannot be read."},
    413: {"model": Error, "description": "The body is longer than the archive takes."},
    415: {"model": Error, "description": "The body is neither form nor JSON."},
    507: {"model": Error, "description": "The archive has no room just now."},
}

router = APIRouter(
    tags=["uploads"],
    route_class=StaffRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (401, 403, 503)},
)


@router.post("/create/", include_in_schema=False, response_model=None)
@router.post("/frames/create/", summary="Upload frames", response_model=None, responses=_ANSWERS, openapi_extra=_FILES)
async def create_frames(request: Request) -> Response:
    """Store uploaded files, and answer when they are indexed. One bad file does not stop the others."""
    services = get_services(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        await read_fields(request)
        return JSONResponse({"created": 0, "filenames": []})
    async with uploaded_files(request, services.settings) as files:
        receiving = services.upload_threads.submit(copy_context().run, _receive, services.intake, files)
        names, failed = await asyncio.wrap_future(receiving)
    answer: dict[str, object] = {"created": len(names), "filenames": names}
    if failed:
        answer["errors"] = list(dict.fromkeys(error for _, error in failed))
        answer["failed"] = [{"filename": filename, "error": error} for filename, error in failed]
    return JSONResponse(answer)


@router.delete(
    "/frames/{frame_id:digits}/delete/",
    summary="Delete a frame",
    response_class=Response,
    response_model=None,
    responses={
        200: {"description": "It is gone. The body is empty."},
        404: ERRORS[404],
        502: ERRORS[502],
    },
)
def delete_frame(request: Request, frame_id: FrameId) -> Response:
    """Delete a frame and its object; where the bucket keeps versions, the object's stay there."""
    frame = find_frame(request, frame_id, as_it_is=True).frame
    get_services(request).intake.delete(frame.basename, frame.key)
    return Response(status_code=200)


def _receive(intake: Intake, files: Sequence[UploadedFile]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the basenames of new frames, and of the other files name and reason."""
    names: list[str] = []
    failed: list[tuple[str, str]] = []
    for file in files:
        try:
            names.append(intake.receive(file.path, file.filename))
        except UploadError as error:
            failed.append((file.filename, str(error)))
        finally:
            file.path.unlink(missing_ok=True)
    return names, failed
