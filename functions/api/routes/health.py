"""Whether the archive is there."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from functions.api.dependencies import get_services
from functions.api.schemas import Health

__all__ = ["router"]

router = APIRouter(tags=["service"])


@router.get(
    "/health/",
    summary="Show the archive's state",
    response_model=None,
    responses={200: {"model": Health}, 503: {"model": Health, "description": "With `detail`: what is not ok."}},
)
def get_health(request: Request) -> Response:
    """Tell whether index and store answer. Needs no token."""
    states = {name: probe.state() for name, probe in get_services(request).probes.items()}
    wrong = [name for name, state in states.items() if state != "ok"]
    if not wrong:
        return JSONResponse({"status": "ok"} | states, headers={"Cache-Control": "no-store"})
    detail = "Not ok: " + ", ".join(wrong) + "."
    body = {"status": "unavailable"} | states | {"detail": detail}
    return JSONResponse(body, 503, {"Cache-Control": "no-store", "Retry-After": "5"})
