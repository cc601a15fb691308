"""All frames found at a glance: how many there are by what could be chosen."""

from dataclasses import asdict

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from functions.api.authentication import TOKEN_SCHEME, UserRoute
from functions.api.dependencies import get_services
from functions.api.overview_schemas import FacetCounts
from functions.api.parameters import FILTER_PARAMETERS
from functions.api.schemas import ERRORS
from shared.database import read
from shared.index.facet_counts import facet_counts
from shared.index.parameters import parse_filter

__all__ = ["router"]

router = APIRouter(
    prefix="/frames",
    tags=["frames"],
    route_class=UserRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (400, 401, 503)},
)


@router.get(
    "/facets/",
    summary="Count the options",
    response_model=None,
    responses={200: {"model": FacetCounts}},
    openapi_extra={"parameters": FILTER_PARAMETERS},
)
def get_facets(request: Request) -> Response:
    """Return for each facet its values, each with the frames that it and the filters but the facet's own leave."""
    frame_filter = parse_filter(request.query_params.multi_items())
    with read(get_services(request).readers) as session:
        found = facet_counts(session, frame_filter)
    return JSONResponse(asdict(found))
