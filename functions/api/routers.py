"""What the routes to one frame's files have in common."""

from fastapi import APIRouter, Depends

from functions.api.authentication import TOKEN_SCHEME, UserRoute
from functions.api.schemas import ERRORS

__all__ = ["frame_files_router"]


def frame_files_router() -> APIRouter:
    """Return a router below ``/frames`` for users, with the answers of routes that look into the store."""
    return APIRouter(
        prefix="/frames",
        tags=["files"],
        route_class=UserRoute,
        dependencies=[Depends(TOKEN_SCHEME)],
        responses={status: ERRORS[status] for status in (400, 401, 404, 502, 503)},
    )
