"""Objects that could not be indexed: listed for staff, and tried again."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from functions.api.authentication import TOKEN_SCHEME, StaffRoute
from functions.api.dependencies import get_services
from functions.api.errors import FrameNotFoundError
from functions.api.parameters import query_parameter
from functions.api.paths import FailureId
from functions.api.presentation import failure_object
from functions.api.schemas import ERRORS, Failure, Failures
from shared.database import read, write
from shared.index.failures import ask_retry, list_failures
from shared.index.parameters import parse_paging, parse_text
from shared.index.selection import MAX_LIMIT

__all__ = ["router"]

_PARAMETERS = [
    query_parameter("limit", "Failures on the page.", type="integer", default=MAX_LIMIT, minimum=0, maximum=MAX_LIMIT),
    query_parameter("offset", "Failures before the page.", type="integer", default=0, minimum=0),
    query_parameter("kind", "Exactly this kind."),
    query_parameter("prefix", "Keys that begin so."),
]

router = APIRouter(
    prefix="/ingest/failures",
    tags=["ingest"],
    route_class=StaffRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (401, 403, 503)},
)


@router.get(
    "/",
    summary="List what could not be indexed",
    response_model=None,
    responses={200: {"model": Failures}, 400: ERRORS[400]},
    openapi_extra={"parameters": _PARAMETERS},
)
def get_failures(request: Request) -> Response:
    """Return a page of failures, the latest attempt first."""
    given = dict(request.query_params.multi_items())
    limit, offset = parse_paging(given)
    kind, prefix = parse_text(given, "kind"), parse_text(given, "prefix")
    with read(get_services(request).sessions) as session:
        count, rows = list_failures(session, limit=limit, offset=offset, kind=kind, prefix=prefix)
    return JSONResponse({"count": count, "results": [failure_object(row) for row in rows]})


@router.post(
    "/{failure_id:digits}/retry/",
    summary="Try an object again",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": Failure, "description": "Noted; whoever reads objects tries it soon."},
        404: {**ERRORS[404], "description": "No such failure."},
    },
)
def post_retry(request: Request, failure_id: FailureId) -> Response:
    """Ask for another attempt: within a second or so by `make run`, else with the next sweep of reconcile.

    The failure goes when the object can be indexed; else it stays, with one more attempt and no `retry_at`.
    """
    with write(get_services(request).sessions) as session:
        failure = ask_retry(session, failure_id)
        if failure is None:
            raise FrameNotFoundError
        told = failure_object(failure)
    return JSONResponse(told, 202)
