"""The page of bundles: those of the account, how far each is, and the way to its zip."""

from contextlib import suppress
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from functions.api.bundling import load_frames
from functions.api.dependencies import get_services
from functions.api.errors import FrameNotFoundError
from functions.api.fetching import find_bundle
from functions.api.ordering import drop, order_wanted
from functions.api.paths import BundleId
from functions.api.web.forms import see_other
from functions.api.web.rendering import page
from functions.api.web.route import PageRoute
from functions.api.wishes import Wanted, wanted_of_order
from shared.bundle.assembly import bundle_name
from shared.bundle.jobs import State, jobs_of
from shared.database import read
from shared.errors import InvalidParameterError
from shared.index.bundle_jobs import BundleJob

__all__ = ["router"]

_PLACE = "/view/bundles/"
_LEFT_OUT_SHOWN = 20
_ORDER = ("sort=", "order=")
_WORDS = {
    State.QUEUED: "Waits to be built",
    State.BUILDING: "Is being built",
    State.READY: "Ready",
    State.FAILED: "Could not be built",
}

router = APIRouter(route_class=PageRoute, default_response_class=HTMLResponse, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Row:
    """A bundle as it is shown; ``asked`` is what it is of, ``percent`` how much of it is built."""

    job: BundleJob
    asked: str
    filename: str
    words: str
    percent: int

    @property
    def is_ready(self) -> bool:
        return self.job.state == State.READY

    @property
    def is_under_way(self) -> bool:
        return self.job.state in (State.QUEUED, State.BUILDING)


@router.get(_PLACE, response_model=None)
def get_bundles_page(request: Request) -> Response:
    """Return the latest bundles of the account."""
    with read(get_services(request).sessions) as session:
        rows = [_row(job) for job in jobs_of(session, request.state.account.id)]
    return page(
        request,
        "bundles.html",
        rows=rows,
        is_building=any(row.is_under_way for row in rows),
        most_left_out=_LEFT_OUT_SHOWN,
    )


@router.post(_PLACE, response_model=None)
async def post_bundles_page(request: Request) -> Response:
    """Order a bundle of frames that were chosen, or of a search."""
    try:
        wanted = await wanted_of_order(request)
    except InvalidParameterError as error:
        if error.name == "frame_ids":
            raise HTTPException(400, "No frame is chosen. Go back, and choose some first.") from error
        raise
    await run_in_threadpool(_order, request, wanted)
    return see_other(request, _PLACE)


@router.post(_PLACE + "{bundle_id:bundle}/delete/", response_model=None)
def post_delete(request: Request, bundle_id: BundleId) -> Response:
    """Delete a bundle; that it is gone by now is no error."""
    with suppress(FrameNotFoundError):
        drop(get_services(request), find_bundle(request, bundle_id))
    return see_other(request, _PLACE)


def _order(request: Request, wanted: Wanted) -> None:
    try:
        frames = load_frames(get_services(request), wanted)
    except FrameNotFoundError as error:
        raise HTTPException(404, str(error)) from error
    if not frames:
        raise HTTPException(400, "No frame meets these conditions any more.")
    order_wanted(request, wanted, frames)


def _row(job: BundleJob) -> _Row:
    share = job.done / job.size if job.size else 0.0
    percent = 100 if job.state == State.READY else min(int(100 * share), 99)
    asked = ", ".join(line for line in job.asked if not line.startswith(_ORDER)) or "every frame"
    return _Row(job, asked, f"{bundle_name(job.day)}.zip", _WORDS[State(job.state)], percent)
