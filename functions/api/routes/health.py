"""Whether the archive is there, for people and for whatever starts, stops and balances its processes."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from functions.api.dependencies import get_services
from functions.api.probes import health_answer
from functions.api.schemas import Health, Liveness, Readiness

__all__ = ["router"]

router = APIRouter(tags=["service"])

_FRESH = {"Cache-Control": "no-store"}
_WRONG = "With `detail`: what is not ok."


@router.get(
    "/health/",
    summary="Show the archive's state",
    response_model=None,
    responses={200: {"model": Health}, 503: {"model": Health, "description": _WRONG}},
)
def get_health(request: Request) -> Response:
    """Tell whether index and store answer. Needs no token."""
    return health_answer({name: probe.state() for name, probe in get_services(request).probes.items()})


@router.get("/health/live/", summary="Show that the process answers", response_model=Liveness)
async def get_liveness() -> Response:
    """Answer, whatever else is away: a process that does not is to be started again. Needs no token."""
    return JSONResponse({"status": "ok"}, headers=_FRESH)


@router.get(
    "/health/ready/",
    summary="Show whether requests can be answered",
    response_model=None,
    responses={200: {"model": Readiness}, 503: {"model": Readiness, "description": _WRONG}},
)
def get_readiness(request: Request) -> Response:
    """Tell whether index and store answer, and the tables are those of this version. Needs no token."""
    services = get_services(request)
    probes = services.probes | {"tables": services.tables_probe}
    return health_answer({name: probe.state() for name, probe in probes.items()})
