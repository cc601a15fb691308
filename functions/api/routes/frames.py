"""Frames: lists, and one of them."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from functions.api.authentication import TOKEN_SCHEME, UserRoute
from functions.api.dependencies import get_services
from functions.api.lookup import find_frame
from functions.api.parameters import LIST_PARAMETERS
from functions.api.paths import FrameId
from functions.api.presentation import frame_object
from functions.api.schemas import ERRORS, Frame, Frames
from shared.database import read
from shared.index.pages import walk_frames
from shared.index.parameters import parse_query
from shared.index.query import list_frames, related_frames

__all__ = ["router"]

router = APIRouter(
    prefix="/frames",
    tags=["frames"],
    route_class=UserRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (401, 503)},
)


@router.get(
    "/",
    summary="List frames",
    response_model=None,
    responses={200: {"model": Frames}, 400: ERRORS[400]},
    openapi_extra={"parameters": LIST_PARAMETERS},
)
def get_list(request: Request) -> Response:
    """Return a page of the frames that all filters leave."""
    query = parse_query(request.query_params.multi_items())
    with read(get_services(request).readers) as session:
        page = list_frames(session, query) if query.cursor is None else walk_frames(session, query)
    found = {"count": page.count, "results": [frame_object(row) for row in page.rows]}
    return JSONResponse(found if query.cursor is None else found | {"next": page.next})


@router.get(
    "/{frame_id:digits}/",
    summary="Show a frame",
    response_model=None,
    responses={200: {"model": Frame}, 404: ERRORS[404]},
)
def get_one(request: Request, frame_id: FrameId) -> Response:
    """Return one frame, with or without date."""
    return JSONResponse(frame_object(find_frame(request, frame_id)))


@router.get(
    "/{frame_id:digits}/related/",
    summary="List the frames that a frame names",
    response_model=None,
    responses={200: {"model": list[Frame]}, 404: ERRORS[404]},
)
def get_related(request: Request, frame_id: FrameId) -> Response:
    """Return the frames that the header's L1 keywords name, by id: a bare list, dated or not."""
    find_frame(request, frame_id)
    with read(get_services(request).readers) as session:
        rows = related_frames(session, frame_id)
    return JSONResponse([frame_object(row) for row in rows])
