"""Bundles that are built in the bucket: ordered, watched, deleted."""

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from functions.api.authentication import TOKEN_SCHEME
from functions.api.bundle_document import bundle_document
from functions.api.bundle_route import BundleRoute
from functions.api.bundling import load_frames
from functions.api.dependencies import get_services
from functions.api.fetching import bundle_link, find_bundle
from functions.api.ordering import drop, order_wanted
from functions.api.parameters import FILTER_PARAMETERS, query_parameter
from functions.api.paths import BundleId
from functions.api.schemas import ERRORS, Bundle, BundleOrder, Bundles, Error
from functions.api.wishes import Wanted, wanted_of_order
from shared.bundle.jobs import State, count_jobs, jobs_of
from shared.database import read
from shared.errors import InvalidParameterError
from shared.index.bundle_jobs import BundleJob
from shared.index.parameters import parse_paging
from shared.index.selection import MAX_LIMIT

__all__ = ["router"]

_KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_BODY = {"requestBody": {"content": {kind: {"schema": BundleOrder.model_json_schema()} for kind in _KINDS}}}
_STATES = [state.value for state in State if state is not State.DELETED]
_LISTED = [
    query_parameter("limit", "Bundles on the page.", type="integer", default=MAX_LIMIT, minimum=0, maximum=MAX_LIMIT),
    query_parameter("offset", "Bundles before the page.", type="integer", default=0, minimum=0),
    query_parameter("state", "Only bundles in this state.", enum=_STATES),
]
_NO_BUNDLE = {**ERRORS[404], "description": "No such bundle of this account."}


router = APIRouter(
    prefix="/bundles",
    tags=["bundles"],
    route_class=BundleRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (401, 502, 503)},
)


@router.post(
    "/",
    summary="Order a bundle",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": Bundle, "description": "It is built; or it was, and still lives."},
        400: ERRORS[400],
        403: ERRORS[403],
        404: ERRORS[404],
        413: {"model": Error, "description": "More frames than this archive puts into a bundle."},
        415: {"model": Error, "description": "The body is neither form nor JSON."},
        429: {"model": Error, "description": "Too many bundles of the account are not built yet."},
    },
    openapi_extra={
        "parameters": [
            query_parameter("related", "`true`: also the frames that their headers name.", type="boolean"),
            query_parameter("uncompress", "`true`: unpack what is tile-compressed.", type="boolean"),
            *FILTER_PARAMETERS,
        ]
    }
    | _BODY,
)
async def post_bundle(request: Request) -> Response:
    """Have frames put into one zip in the bucket: by id, or by the filters of lists in the URL or in `query`.

    The same order on the same day is the same bundle while it lives.
    """
    wanted = await wanted_of_order(request)
    return await run_in_threadpool(_ordered, request, wanted)


@router.get(
    "/",
    summary="List bundles",
    response_model=None,
    responses={200: {"model": Bundles}, 400: ERRORS[400]},
    openapi_extra={"parameters": _LISTED},
)
def get_bundles(request: Request) -> Response:
    """Return a page of the account's bundles, the newest first, without links."""
    given = dict(request.query_params.multi_items())
    limit, offset = parse_paging(given)
    state, account = _state(given.get("state", "")), request.state.account.id
    with read(get_services(request).sessions) as session:
        count = count_jobs(session, account, state)
        jobs = jobs_of(session, account, limit=limit, offset=offset, state=state)
    return JSONResponse(
        {"count": count, "results": [bundle_document(job, None) for job in jobs]},
        headers={"Cache-Control": "no-store"},
    )


@router.get(
    "/{bundle_id:bundle}/",
    summary="Watch a bundle",
    response_model=None,
    responses={200: {"model": Bundle}, 404: _NO_BUNDLE},
)
def get_bundle(request: Request, bundle_id: BundleId) -> Response:
    """Return how far it is; once it is ready, with a link that needs no token and lives for minutes."""
    return _shown(request, find_bundle(request, bundle_id), 200)


@router.delete(
    "/{bundle_id:bundle}/",
    summary="Delete a bundle",
    status_code=204,
    response_model=None,
    responses={204: {"description": "It is gone, or will be as soon as its builder notices."}, 404: _NO_BUNDLE},
)
def delete_bundle(request: Request, bundle_id: BundleId) -> Response:
    """Delete a bundle, built or not."""
    drop(get_services(request), find_bundle(request, bundle_id))
    return Response(status_code=204)


def _state(word: str) -> State | None:
    if word in ("", "ALL"):
        return None
    if word not in _STATES:
        raise InvalidParameterError("state")
    return State(word)


def _ordered(request: Request, wanted: Wanted) -> Response:
    job = order_wanted(request, wanted, load_frames(get_services(request), wanted))
    return _shown(request, job, 202)


def _shown(request: Request, job: BundleJob, status: int) -> Response:
    link = bundle_link(get_services(request), job) if job.state == State.READY else None
    headers = {"Cache-Control": "no-store"}
    if status == 202:
        headers["Location"] = f"{job.id}/"
    if job.state not in (State.READY, State.FAILED):
        headers["Retry-After"] = "2"
    return JSONResponse(bundle_document(job, link), status, headers)
