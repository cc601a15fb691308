"""The position of a target by its name."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from functions.api.authentication import TOKEN_SCHEME, UserRoute
from functions.api.parameters import query_parameter
from functions.api.resolving import look_up
from functions.api.schemas import ERRORS
from functions.api.target_schemas import Target

__all__ = ["router"]

router = APIRouter(
    prefix="/resolve",
    tags=["frames"],
    route_class=UserRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (400, 401, 503)},
)


@router.get(
    "/",
    summary="Look up a name",
    response_model=None,
    responses={
        200: {"model": Target},
        404: {**ERRORS[404], "description": "No position is known by this name, or none are looked up here."},
    },
    openapi_extra={"parameters": [query_parameter("name", "Name of a target, such as `M 51`.")]},
)
def get_target(request: Request) -> Response:
    """Return the position of a target, as the resolver knows it that this archive asks."""
    name = request.query_params.get("name", "").strip()
    position = look_up(request, name)
    return JSONResponse({"name": name, "ra": position.ra, "dec": position.dec})
