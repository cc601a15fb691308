"""A bundle's bytes: by a link into the store, waited for until it is built."""

import asyncio
import datetime as dt
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from functions.api.authentication import TOKEN_SCHEME, UserRoute
from functions.api.fetching import account_of_ticket, find_bundle, served_bundle
from functions.api.parameters import query_parameter
from functions.api.paths import BundleId
from functions.api.schemas import ERRORS, ZIP_CONTENT, Error
from shared.bundle.jobs import State
from shared.database import utc_now

__all__ = ["router"]

_WAIT_SECONDS = 20.0
"""How long one request waits for a bundle; a gateway of AWS ends it after 30 s."""

_LOOK_SECONDS = 0.4
_SETTLED = (State.READY, State.FAILED)


class FileRoute(UserRoute):
    """A route that a ticket in the URL opens, too."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        if "ticket" not in request.query_params:
            await super().handle(scope, receive, send)
            return
        request.state.account = await run_in_threadpool(account_of_ticket, request)
        await APIRoute.handle(self, scope, receive, send)


router = APIRouter(
    prefix="/bundles",
    tags=["bundles"],
    route_class=FileRoute,
    dependencies=[Depends(TOKEN_SCHEME)],
    responses={status: ERRORS[status] for status in (401, 502, 503)},
)


@router.get(
    "/{bundle_id:bundle}/file/",
    summary="Fetch a bundle",
    response_model=None,
    responses={
        200: {"description": "The zip, for clients that take no link.", "content": ZIP_CONTENT},
        206: {"description": "The part of it that Range asks for.", "content": ZIP_CONTENT},
        303: {"description": "The link; or this very place once more, while it is not built yet."},
        404: {**ERRORS[404], "description": "No such bundle of this account."},
        410: {"model": Error, "description": "It was removed from the bucket before its time."},
        413: {
            "model": Error,
            "description": "The client takes no link, and the zip is too large to be served here.",
        },
        416: {"model": Error, "description": "The zip has no such range."},
    },
    openapi_extra={"parameters": [query_parameter("ticket", "Leave to fetch it without a token.")]},
)
async def get_file(request: Request, bundle_id: BundleId) -> Response:
    """Redirect to a link to the zip, waiting until it is built: a browser, wget or `curl -L` just gets its file."""
    deadline = utc_now() + dt.timedelta(seconds=_WAIT_SECONDS)
    job = await run_in_threadpool(find_bundle, request, bundle_id)
    while job.state not in _SETTLED and utc_now() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
        job = await run_in_threadpool(find_bundle, request, bundle_id)
    if job.state == State.FAILED:
        raise HTTPException(502, f"This bundle could not be built: {job.reason}")
    if job.state != State.READY:
        return _once_more(request)
    return await run_in_threadpool(served_bundle, request, job)


def _once_more(request: Request) -> Response:
    """Redirect to the same place under another address, which no browser takes for a loop."""
    query = dict(request.query_params)
    before = query.get("round", "")
    query["round"] = str(int(before) + 1 if before.isdecimal() and len(before) < 6 else 1)
    return Response(status_code=303, headers={"Location": f"?{urlencode(query)}", "Cache-Control": "no-store"})
