"""What the panel's views have in common: bounded pages, fields to search by, buttons that change something."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from sqladmin import ModelView
from sqladmin.pagination import Pagination
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import functions.api.paths  # noqa: F401 - the convertor of ids in paths
from shared.index.parameters import parse_text

__all__ = ["ArchiveView", "Button", "Choice", "ListedRows", "form_of", "given", "number_of"]

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Choice:
    """A field to search by: free text, unless there are ``options`` (value and label)."""

    name: str
    label: str
    options: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Button:
    """A button in each row, which posts to ``action``; with a ``question`` it asks before."""

    action: str
    label: str
    question: str = ""


@dataclass
class ListedRows(Pagination):
    """A page of rows. ``count`` is how many can be paged to, ``total`` how many there are."""

    total: str = ""


class ArchiveView(ModelView):
    """A view that asks the archive's own functions, and changes nothing but by its own routes."""

    can_create = False
    can_edit = False
    can_delete = False
    can_export = False
    list_template = "sqladmin/list.html"
    column_type_formatters: ClassVar[Any] = {
        type(None): lambda _: "",
        bool: lambda value: "yes" if value else "no",
        dt.datetime: lambda moment: f"{moment:%Y-%m-%d %H:%M:%S} UTC",
    }
    column_type_formatters_detail: ClassVar[Any] = column_type_formatters
    page_size = 50
    page_size_options: ClassVar[Sequence[int]] = [50, 200]
    reach: ClassVar[int] = 10_000
    """Rows that can be paged to; what lies beyond is to be searched for."""

    choices: ClassVar[Sequence[Choice]] = ()
    buttons: ClassVar[Sequence[Button]] = ()
    news: ClassVar[Mapping[str, str]] = {}
    """What is told after a change, by the word that stands in the URL then."""

    def find(self, request: Request, limit: int, offset: int) -> tuple[int, Sequence[Any]]:
        """Return how many rows the request asks for, and a page of them."""
        raise NotImplementedError

    def find_one(self, request: Request, row_id: int) -> Any:
        """Return the row of that id, or None."""
        raise NotImplementedError

    def total(self, count: int) -> str:
        """Return how many rows there are as it is told."""
        return f"{count:,}"

    async def list(self, request: Request) -> Pagination:
        """Return the page that a request asks for."""
        size = min(max(number_of(request.query_params.get("pageSize"), self.page_size), 1), max(self.page_size_options))
        last = (self.reach - 1) // size + 1
        page = min(max(number_of(request.query_params.get("page"), 1), 1), last)
        count, rows = await run_in_threadpool(self.find, request, size, (page - 1) * size)
        return ListedRows(
            rows=[*rows], page=page, page_size=size, count=min(count, self.reach), total=self.total(count)
        )

    async def get_object_for_details(self, request: Request) -> Any:
        """Return the row whose page is asked for, or None."""
        row_id = number_of(request.path_params["pk"], -1)
        return await run_in_threadpool(self.find_one, request, row_id) if 0 <= row_id <= _LARGEST else None

    async def show(self, request: Request, row_id: int, problem: str) -> Response:
        """Answer with the page of a row, and what was wrong."""
        row = await run_in_threadpool(self.find_one, request, row_id)
        if row is None:
            raise HTTPException(404)
        context = {"model_view": self, "model": row, "problem": problem}
        return await self.templates.TemplateResponse(request, self.details_template, context, 400)

    def back(self, request: Request, news: str, query: str = "") -> Response:
        """Send the browser back to the list, as it was searched by ``query``, with news."""
        return self._moved(request.url_for("admin:list", identity=self.identity).path, news, query)

    def back_to(self, request: Request, row_id: int, news: str) -> Response:
        """Send the browser back to the page of a row, with news."""
        return self._moved(request.url_for("admin:details", identity=self.identity, pk=row_id).path, news)

    def _moved(self, path: str, news: str, query: str = "") -> Response:
        kept = [(name, value) for name, value in parse_qsl(query[:2000]) if name != "news"]
        return RedirectResponse(f"{path}?{urlencode([*kept, ('news', news)])}", 303)


def given(request: Request, name: str) -> str:
    """Return a text of the query; InvalidParameterError for one that no database can hold."""
    return parse_text(request.query_params, name) or ""


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form."""
    form = await request.form(max_files=0, max_fields=20)
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


def number_of(text: str | None, default: int) -> int:
    """Return a whole number of at most 18 digits; ``default`` for anything else."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 18 else default
