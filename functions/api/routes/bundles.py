"""Many frames as one zip."""

from dataclasses import replace

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from functions.api.authentication import TOKEN_SCHEME
from functions.api.bundle_route import BundleRoute
from functions.api.bundling import answer_zip
from functions.api.forms import Fields, parse_fields, read_body
from functions.api.listing import FORMATS, asked_format
from functions.api.parameters import LIST_PARAMETERS, query_parameter
from functions.api.schemas import ERRORS, ZIP_CONTENT, Error
from functions.api.wishes import flag, ids_of, wanted_by_ids, wanted_by_query

__all__ = ["router"]

_KINDS = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")
_FIELDS = {
    "type": "object",
    "properties": {
        "frame_ids[]": {"type": "array", "items": {"type": "integer"}, "description": "Or `frame_ids`."},
        "related": {"type": "string", "description": "`true`: also the frames that their headers name."},
        "format": {"type": "string", "enum": list(FORMATS), "description": "`zip`, or a list of links."},
        "auth_token": {"type": "string", "description": "The token, where no header can carry it."},
    },
}
_PARAMETERS = [
    query_parameter("limit", "Frames in the zip; by default all.", type="integer", minimum=0),
    query_parameter("related", "`true`: also the frames that their headers name.", type="boolean", default=False),
    query_parameter("format", "`zip`, or a list of links.", enum=list(FORMATS), default=FORMATS[0]),
    *(parameter for parameter in LIST_PARAMETERS if parameter["name"] not in ("limit", "cursor")),
]
_LISTS = {
    "application/json": {"schema": {"type": "object"}},
    **{kind: {"schema": {"type": "string"}} for kind in ("text/csv", "text/x-shellscript", "text/plain")},
}

router = APIRouter(
    tags=["files"],
    route_class=BundleRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={
        200: {"content": ZIP_CONTENT | _LISTS, "description": "The zip, or a list of links."},
        206: {"content": ZIP_CONTENT, "description": "The part of the zip that Range asks for."},
        303: {"description": "Where the zip will be as soon as it is built, on functions whose answers are limited."},
        413: {"model": Error, "description": "More frames or bytes than this archive sends at once."},
        416: {"model": Error, "description": "The zip has no such range."},
        429: {"model": Error, "description": "Too many bundles of the account are not built yet."},
        **{status: ERRORS[status] for status in (400, 401, 502, 503)},
    },
)


@router.get("/zip/", include_in_schema=False, response_model=None)
@router.get(
    "/frames/zip/",
    summary="Download the frames of a query",
    response_model=None,
    openapi_extra={"parameters": _PARAMETERS},
)
def get_zip(request: Request) -> Response:
    """Return the frames that all filters leave as one zip, which can be resumed. No filter means every frame.

    A frame whose object is not what the index says is left out, and named in the header `X-Left-Out` and in the zip's
    README. `/zip/` is an alias.
    """
    fields = request.query_params.multi_items()
    return answer_zip(request, replace(wanted_by_query(request, fields), format=_format(request, fields)))


@router.post("/zip/", include_in_schema=False, response_model=None)
@router.post(
    "/frames/zip/",
    summary="Download frames by id",
    response_model=None,
    responses={
        403: ERRORS[403],
        404: ERRORS[404],
        415: {"model": Error, "description": "The body is neither form nor JSON."},
    },
    openapi_extra={"requestBody": {"content": {kind: {"schema": _FIELDS} for kind in _KINDS}}},
)
async def post_zip(request: Request) -> Response:
    """Return the frames of these ids, in their order, as one zip. No ids: an empty zip. `/zip/` is an alias."""
    fields = await parse_fields(request, await read_body(request))
    wanted = wanted_by_ids(ids_of(fields), related=flag(fields, "related"))
    return await run_in_threadpool(answer_zip, request, replace(wanted, format=_format(request, fields)))


def _format(request: Request, fields: Fields) -> str:
    return asked_format(dict(fields).get("format"), request.headers.get("accept", ""))
