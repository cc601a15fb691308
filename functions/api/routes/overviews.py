"""All frames found at a glance: how many there are by what could be chosen, by night, and on the sky."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from functions.api.authentication import TOKEN_SCHEME, UserRoute
from functions.api.dependencies import get_services
from functions.api.overview_schemas import FacetCounts, Nights, SkyMap
from functions.api.parameters import FILTER_PARAMETERS, query_parameter
from functions.api.schemas import ERRORS, Facets
from shared.database import read
from shared.index.facet_counts import facet_counts
from shared.index.parameters import parse_filter, parse_year
from shared.index.query import aggregate
from shared.index.selection import FrameFilter
from shared.index.sky_map import sky_map
from shared.index.years import year_of_nights

__all__ = ["router"]

router = APIRouter(
    prefix="/frames",
    tags=["frames"],
    route_class=UserRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (400, 401, 503)},
)


@router.get(
    "/aggregate/",
    summary="List the options",
    response_model=None,
    responses={200: {"model": Facets}},
    openapi_extra={"parameters": FILTER_PARAMETERS},
)
def get_aggregate(request: Request) -> Response:
    """Return the values that occur among the frames that all filters leave."""
    return _told(request, aggregate)


@router.get(
    "/facets/",
    summary="Count the options",
    response_model=None,
    responses={200: {"model": FacetCounts}},
    openapi_extra={"parameters": FILTER_PARAMETERS},
)
def get_facets(request: Request) -> Response:
    """Return for each facet its values, each with the frames that it and the filters but the facet's own leave."""
    return _told(request, facet_counts)


@router.get(
    "/nights/",
    summary="Count by night",
    response_model=None,
    responses={200: {"model": Nights}},
    openapi_extra={
        "parameters": [
            query_parameter("year", "By default the latest with frames.", type="integer", minimum=1, maximum=9999),
            *FILTER_PARAMETERS,
        ]
    },
)
def get_nights(request: Request) -> Response:
    """Return how many frames that all filters but `night` leave there are in each night of a year."""
    given = dict(request.query_params.multi_items())
    year, frame_filter = parse_year(given), parse_filter(given.items())
    with read(get_services(request).readers) as session:
        found = year_of_nights(session, frame_filter, year)
    nights = [{"night": item.night.isoformat(), "count": item.count} for item in found.nights]
    return JSONResponse({"year": found.year, "years": found.years, "complete": found.complete, "nights": nights})


@router.get(
    "/sky/",
    summary="Show where on the sky",
    response_model=None,
    responses={200: {"model": SkyMap}},
    openapi_extra={"parameters": FILTER_PARAMETERS},
)
def get_sky(request: Request) -> Response:
    """Return where on the sky the frames that all filters leave are, near ones together."""
    return _told(request, sky_map)


def _told(request: Request, ask: Callable[[Session, FrameFilter], Any]) -> Response:
    """Return what the index says of the filter that a request asks by."""
    frame_filter = parse_filter(request.query_params.multi_items())
    with read(get_services(request).readers) as session:
        found = ask(session, frame_filter)
    return JSONResponse(asdict(found))
