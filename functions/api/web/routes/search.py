"""The page that frames are searched on: as table, as pictures, on the sky, or by night."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, RedirectResponse, Response

from functions.api.dependencies import get_services
from functions.api.stage import root_of
from functions.api.web.columns import COLUMNS, Column
from functions.api.web.examples import address_of, examples
from functions.api.web.fields import FIELDS
from functions.api.web.options import Option, no_options, options_of
from functions.api.web.presets import presets
from functions.api.web.rendering import page
from functions.api.web.route import PageRoute
from functions.api.web.search import PAGE_SIZES, Search, is_untidy, read_search
from functions.api.web.sought import look_up_target
from functions.api.web.views import view_values
from shared.database import read, utc_now
from shared.index.facet_counts import facet_counts
from shared.index.newest import latest_night, newest_id
from shared.index.query import FramePage, list_frames, undated_beside

__all__ = ["router"]

_NAME_COLUMN = Column(name="basename", label="File", sort="basename", text=lambda frame: str(frame.basename))

router = APIRouter(route_class=PageRoute, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class _Found:
    page: FramePage | None
    options: dict[str, list[Option]]
    latest: dt.date | None
    newest: int
    undated: int | None
    view: dict[str, Any]


@router.get(
    "/",
    summary="Search for frames with a browser",
    tags=["service"],
    response_model=None,
    responses={
        200: {"description": "The page."},
        302: {
            "description": "To the form for logging in, or to the same search without its empty fields, or "
            "with the position of the target that `resolve` names."
        },
        400: {"description": "The page, which says what cannot be read."},
        503: {"description": "A page that says why there is no answer."},
    },
)
def get_search(request: Request) -> Response:
    """Return the page of a search, which its URL holds; who is not logged in is led to the form for that.

    Parameters are those of `GET /frames/`, besides `view`, `columns` and others that only tell how it is shown.
    """
    pairs = request.query_params.multi_items()
    sought = look_up_target(request, pairs)
    if sought.position is not None:
        return _redirect(request, read_search([*pairs, *sought.position]))
    search = read_search(pairs)
    if is_untidy(pairs) and not sought.problem:
        return _redirect(request, search)
    with read(get_services(request).readers) as session:
        found = _find(session, search)
    status = 400 if search.problem is not None else sought.status
    return page(request, "search.html", status=status, **_shown(request, search, found), **sought.values)


def _redirect(request: Request, search: Search) -> Response:
    return RedirectResponse(f"{root_of(request)}/{search.url({'offset': search.offset or None})}".rstrip("?"), 302)


def _find(session: Session, search: Search) -> _Found:
    latest, newest = latest_night(session), newest_id(session)
    if search.query is None:
        return _Found(None, no_options(search), latest, newest, None, {})
    found = list_frames(session, search.query)
    options = options_of(search, facet_counts(session, search.query.filter))
    view = view_values(session, search, search.query, found) if found.count else {}
    undated = undated_beside(session, search.query.filter)
    return _Found(found, options, latest, newest, undated, view)


def _shown(request: Request, search: Search, found: _Found) -> dict[str, Any]:
    now = utc_now()
    return found.view | {
        "title": ", ".join(value for _, value, _ in search.chips) or "Search",
        "search": search,
        "fields": FIELDS,
        "columns": COLUMNS,
        "name_column": _NAME_COLUMN,
        "page_sizes": PAGE_SIZES,
        "count": found.page.count if found.page is not None else None,
        "rows": found.page.rows if found.page is not None else (),
        "offset": search.offset,
        "undated": found.undated,
        "options": found.options,
        "presets": presets(search, now, found.latest),
        "newest": found.newest,
        "examples": examples(address_of(request), request.state.account.username, search),
        "most_in_zip": get_services(request).settings.zip_limit_frames,
    }
