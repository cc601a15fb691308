"""A search as its URL holds it: what is asked for, how it is shown, and the URLs of searches beside it. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, cast, get_args
from urllib.parse import urlencode

from functions.api.web.columns import COLUMNS, DEFAULT_COLUMNS, Column, chosen_columns
from functions.api.web.fields import CHOICES, FIELDS, Field
from shared.errors import InvalidParameterError
from shared.index.parameters import parse_query
from shared.index.selection import SORT_COLUMNS, FrameQuery

__all__ = ["PAGE_SIZES", "VIEWS", "Search", "View", "is_untidy", "read_search"]

View = Literal["table", "grid", "sky", "nights"]
VIEWS: Final[tuple[View, ...]] = get_args(View)
PAGE_SIZES = (25, 50, 100, 250, 1000)

_PAGE_SIZE = 50
_SORT, _ORDER = "DATE_OBS", "desc"
_SHOWING = ("view", "columns", "sort", "order", "limit", "offset", "year")
_NAMES = (*FIELDS, *_SHOWING)
_EVERY = "ALL"
_EXACT = frozenset(choice.name for choice in CHOICES)
_WITH_POSITION = ("RA", "DEC", "radius")
_YEAR = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search; ``given`` is what its URL says, by name, without what is empty or as if it were not there.

    ``query`` is None where a value cannot be read; ``problem`` then names the parameter, and says what is wrong.
    """

    given: Mapping[str, str]
    view: View
    columns: tuple[Column, ...]
    query: FrameQuery | None
    problem: tuple[str, str] | None

    @property
    def filters(self) -> dict[str, str]:
        """What chooses frames, by the names of the REST interface."""
        return {name: value for name, value in self.given.items() if name in FIELDS}

    @property
    def chips(self) -> list[tuple[Field, str, str]]:
        """Each condition, its value, and the URL of the search without it; the parts of a position go together."""
        found = []
        for name, value in self.filters.items():
            gone = _WITH_POSITION if name in _WITH_POSITION else (name,)
            found.append((FIELDS[name], value, self.url(dict.fromkeys(gone))))
        return found

    @property
    def sort(self) -> str:
        """The parameter that the table is sorted by."""
        return self.query.sort if self.query is not None else _SORT

    @property
    def is_descending(self) -> bool:
        """Whether the largest comes first."""
        return self.query is None or self.query.descending

    @property
    def limit(self) -> int:
        """Frames on a page."""
        return self.query.limit if self.query is not None else _PAGE_SIZE

    @property
    def offset(self) -> int:
        """Frames before the page."""
        return self.query.offset if self.query is not None else 0

    def url(self, changes: Mapping[str, str | int | None] | None = None) -> str:
        """Return the query string of this search with some values changed, None for none; its first page."""
        changed = {"offset": None, **(changes or {})}
        values = {name: changed[name] if name in changed else self.given.get(name) for name in _NAMES}
        return "?" + urlencode({name: value for name, value in values.items() if value not in (None, "")}, safe=":,")

    def sorted_url(self, column: Column) -> str:
        """Return the query string of the same search sorted by a column; by the same one again, the other way round."""
        is_same = self.sort == column.sort
        order = ("asc" if self.is_descending else "desc") if is_same else "asc" if column.sort != _SORT else _ORDER
        return self.url({"sort": column.sort, "order": order})

    def api_query(self, **more: str | int) -> str:
        """Return the query string that asks the REST interface for the same frames in the same order."""
        order = {"sort": self.sort, "order": "desc" if self.is_descending else "asc"}
        return urlencode(self.filters | order | {name: str(value) for name, value in more.items()}, safe=":,")


def read_search(parameters: Iterable[tuple[str, str]]) -> Search:
    """Read a search from the parameters of its URL; of a repeated one the last counts, unknown ones are nothing."""
    pairs = list(parameters)
    columns = chosen_columns(name for key, value in pairs if key == "columns" for name in value.split(","))
    given = _tidied(pairs, columns)
    asked = {"sort": _SORT, "order": _ORDER, "limit": str(_PAGE_SIZE), **given}
    query, problem = None, None
    try:
        _check_position(given)
        query = parse_query(asked.items())
        query = replace(query, limit=max(query.limit, 1))
    except InvalidParameterError as error:
        problem = (error.name, error.detail)
    view = given.get("view", VIEWS[0])
    return Search(given=given, view=cast("View", view), columns=columns, query=query, problem=problem)


def is_untidy(parameters: Iterable[tuple[str, str]]) -> bool:
    """Whether a form made these: it sends its empty fields along, and each column by itself."""
    pairs = list(parameters)
    return any(not value.strip() for _, value in pairs) or [name for name, _ in pairs].count("columns") > 1


def _check_position(given: Mapping[str, str]) -> None:
    """Programs may send half a position, which is none; a person has forgotten the other half."""
    if ("RA" in given) != ("DEC" in given):
        raise InvalidParameterError("DEC" if "RA" in given else "RA", "A position needs both RA and Dec.")


def _tidied(pairs: Iterable[tuple[str, str]], columns: tuple[Column, ...]) -> dict[str, str]:
    last = {name: value if name in _EXACT else value.strip() for name, value in pairs if name in _NAMES}
    last = {name: value for name, value in last.items() if value.strip()}
    last = {name: value for name, value in last.items() if name not in FIELDS or value.strip() != _EVERY}
    if columns == DEFAULT_COLUMNS:
        last.pop("columns", None)
    elif "columns" in last:
        last["columns"] = ",".join(column.name for column in columns if column.name in COLUMNS)
    usual = {"view": VIEWS[0], "sort": _SORT, "order": _ORDER, "limit": str(_PAGE_SIZE), "offset": "0"}
    if last.get("view") not in VIEWS:
        last.pop("view", None)
    if not _YEAR.fullmatch(last.get("year", "")):
        last.pop("year", None)
    if last.get("sort") in SORT_COLUMNS and last.get("sort") != _SORT and "order" not in last:
        last["order"] = "asc"
    if last.get("sort", _SORT) != _SORT:
        usual.pop("order")
    if not (last.get("RA") and last.get("DEC")):
        last.pop("radius", None)
    return {name: last[name] for name in _NAMES if last.get(name) and last[name] != usual.get(name)}
