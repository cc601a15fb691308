"""Many frames as one zip."""

import re
from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from functions.api.authentication import TOKEN_SCHEME, UserRoute, account_of_key, key_in_headers
from functions.api.bundling import answer_zip
from functions.api.dependencies import get_services
from functions.api.errors import FrameNotFoundError
from functions.api.forms import Fields, parse_fields, read_body
from functions.api.parameters import LIST_PARAMETERS, query_parameter
from functions.api.schemas import ERRORS, Error
from shared.errors import InvalidParameterError
from shared.index.bundles import bundle_of_ids, bundle_of_query
from shared.index.parameters import parse_query

__all__ = ["router"]

_ID_FIELDS = ("frame_ids[]", "frame_ids")
_ID = re.compile(r"[0-9]{1,30}")
_KINDS = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")
_FIELDS = {
    "type": "object",
    "properties": {
        "frame_ids[]": {"type": "array", "items": {"type": "integer"}, "description": "Or `frame_ids`."},
        "auth_token": {"type": "string", "description": "The token, where no header can carry it."},
    },
}
_PARAMETERS = [
    query_parameter("limit", "Frames in the zip; by default all.", type="integer", minimum=0),
    *(parameter for parameter in LIST_PARAMETERS if parameter["name"] not in ("limit", "cursor")),
]
_NAMES = sorted(parameter["name"] for parameter in _PARAMETERS)
_ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


class BundleRoute(UserRoute):
    """A route whose POST may carry the token as form field ``auth_token``. The form is ``request.state.fields``."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        if scope["method"] != "POST" or key_in_headers(request) is not None:
            await super().handle(scope, receive, send)
            return
        body = await read_body(request)
        key = await _key_of_form(request, body)
        if key is None:
            await super().handle(scope, _replay(body, receive), send)
            return
        request.state.account = await run_in_threadpool(account_of_key, request, key)
        await APIRoute.handle(self, scope, _replay(body, receive), send)


router = APIRouter(
    tags=["files"],
    route_class=BundleRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={
        200: {"content": _ZIP, "description": "The zip."},
        206: {"content": _ZIP, "description": "The part of the zip that Range asks for."},
        413: {"model": Error, "description": "More frames or bytes than this archive sends at once."},
        416: {"model": Error, "description": "The zip has no such range."},
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

    A frame whose object is not what the index says is left out, and named in the header `X-Left-Out`. `/zip/` is an
    alias.
    """
    every = get_services(request).settings.zip_limit_frames + 1
    query = parse_query(request.query_params.multi_items(), max_limit=every)
    return answer_zip(request, lambda session: bundle_of_query(session, query), asked_by_query(request))


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
    frame_ids = _frame_ids(await parse_fields(request, await read_body(request)))
    return await run_in_threadpool(
        answer_zip,
        request,
        lambda session: bundle_of_ids(session, frame_ids),
        [f"{len(frame_ids)} frames by id"],
        len(frame_ids),
    )


def asked_by_query(request: Request) -> list[str]:
    """Return the parameters that choose frames, as lines; what else stands in the query is told to nobody."""
    given = dict(request.query_params.multi_items())
    return [f"{name}={given[name]}" for name in _NAMES if given.get(name)]


def _frame_ids(fields: Fields) -> Sequence[int]:
    """Return each id once; FrameNotFoundError for what no id can be."""
    values = [value.strip() for name, value in fields if name in _ID_FIELDS]
    if not all(_ID.fullmatch(value) for value in values):
        raise FrameNotFoundError
    return list(dict.fromkeys(int(value) for value in values))


async def _key_of_form(request: Request, body: bytes) -> str | None:
    """Return the form's token. A body that cannot be read has none: whoever sends it is refused as anybody else."""
    try:
        fields = await parse_fields(request, body)
    except (HTTPException, InvalidParameterError):
        return None
    return next((value for name, value in fields if name == "auth_token"), None)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a channel that gives the body once more, then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
