"""The page of what could not be indexed, for staff: why, how often it was tried, and to try it again."""

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from functions.api.dependencies import get_services
from functions.api.stage import root_of
from functions.api.web.forms import fields_of, see_other
from functions.api.web.rendering import page
from functions.api.web.route import StaffPageRoute
from shared.database import read, write
from shared.errors import InvalidParameterError
from shared.index.failures import ask_retry, count_kinds, list_failures
from shared.index.parameters import parse_paging, parse_text

__all__ = ["router"]

_PLACE = "/view/failures/"
_FIELD = "failure"
_PAGE_SIZE = 50
_MOST_ON_PAGE = 200
_FILTERS = ("kind", "prefix")

router = APIRouter(route_class=StaffPageRoute, default_response_class=HTMLResponse, include_in_schema=False)


@router.get(_PLACE, response_model=None)
def get_failures_page(request: Request) -> Response:
    """Return a page of failures, the latest attempt first."""
    given = dict(request.query_params.multi_items())
    limit, offset = parse_paging({"limit": str(_PAGE_SIZE), **{k: v for k, v in given.items() if v}})
    limit = min(max(limit, 1), _MOST_ON_PAGE)
    kind, prefix = (parse_text(given, name) for name in _FILTERS)
    with read(get_services(request).sessions) as session:
        count, rows = list_failures(session, limit=limit, offset=offset, kind=kind, prefix=prefix)
        kinds = count_kinds(session, prefix=prefix or "")
    if kind:
        kinds.setdefault(kind, 0)
    chosen = {"kind": kind, "prefix": prefix, "limit": limit if limit != _PAGE_SIZE else None}
    return page(
        request,
        "failures.html",
        count=count,
        rows=rows,
        kinds=kinds,
        kind=kind or "",
        prefix=prefix or "",
        offset=offset,
        is_waiting=any(row.retry_at is not None for row in rows),
        before=_url(request, {**chosen, "offset": max(offset - limit, 0) or None}) if offset > 0 else None,
        behind=_url(request, {**chosen, "offset": offset + limit}) if offset + len(rows) < count else None,
        here=_url(request, {**chosen, "offset": offset or None}),
    )


@router.post(_PLACE, response_model=None)
async def post_retry(request: Request) -> Response:
    """Ask for another attempt at each object that the form names, and show the same failures again."""
    fields = await fields_of(request)
    await run_in_threadpool(_retry, request, [value for name, value in fields if name == _FIELD])
    shown = {name: value for name, value in request.query_params.items() if name in (*_FILTERS, "limit", "offset")}
    return see_other(request, _PLACE + _query(shown))


def _retry(request: Request, values: Sequence[str]) -> None:
    """Note it; a failure that is gone by now needs no other attempt."""
    if len(values) > _MOST_ON_PAGE or not all(value.isascii() and value.isdigit() for value in values):
        raise InvalidParameterError(_FIELD)
    with write(get_services(request).sessions) as session:
        for failure_id in sorted({int(value[:30]) for value in values}):
            ask_retry(session, failure_id)


def _url(request: Request, values: dict[str, str | int | None]) -> str:
    return f"{root_of(request)}{_PLACE}{_query(values)}"


def _query(values: "dict[str, str] | dict[str, str | int | None]") -> str:
    given = {name: value for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(given)}" if given else ""
