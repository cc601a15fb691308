"""A search and its URL: the same search, whichever way it is written."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api.web.columns import COLUMNS, DEFAULT_COLUMNS
from functions.api.web.fields import FIELDS
from functions.api.web.search import is_untidy, read_search

VALUES = {
    "night": "2026-11-25",
    "start": "2026-11-25T18:00",
    "OBJECT": "M 51 & co",
    "IMAGETYPE": "object",
    "FILTER": "None",
    "RLEVEL": "91",
    "EXPTIME": "30",
    "basename": "100%_é",
    "view": "grid",
    "sort": "EXPTIME",
    "order": "asc",
    "limit": "100",
    "columns": "OBJECT,FILTER",
}


def read(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query.removeprefix("?"), keep_blank_values=True)


@given(st.sets(st.sampled_from(sorted(VALUES))))
def test_a_url_holds_the_whole_search(names: set[str]) -> None:
    search = read_search([(name, VALUES[name]) for name in sorted(names)])
    again = read_search(read(search.url()))
    assert again == search
    assert not is_untidy(read(search.url()))
    assert {name: search.filters.get(name) for name in names & FIELDS.keys()} == {
        name: VALUES[name] for name in names & FIELDS.keys()
    }


def test_the_newest_come_first() -> None:
    search = read_search([])
    assert search.query is not None
    assert (search.query.sort, search.query.descending, search.query.limit) == ("DATE_OBS", True, 50)
    assert (search.url(), search.columns, search.view, search.chips) == ("?", DEFAULT_COLUMNS, "table", [])


def test_what_is_empty_or_unknown_is_nothing() -> None:
    pairs = [("OBJECT", " "), ("SITE", "ALL"), ("view", "cube"), ("foo", "bar"), ("columns", "nonsense"), ("year", "x")]
    assert read_search(pairs) == read_search([])
    assert is_untidy(pairs)


@pytest.mark.parametrize("value", ["", " ", "\t", "\u00a0", "\x1f"])
@pytest.mark.parametrize("name", [*FIELDS, "view", "columns", "sort", "order", "limit", "offset", "year"])
def test_a_tidied_search_is_tidy(name: str, value: str) -> None:
    assert is_untidy([(name, value)])
    assert not is_untidy(read(read_search([(name, value)]).url()))


def test_a_page_has_at_least_one_frame() -> None:
    assert read_search([("limit", "0")]).limit == read_search([("limit", "-5")]).limit == 1


def test_a_form_sends_each_column_by_itself() -> None:
    pairs = [("columns", "FILTER"), ("columns", "OBJECT")]
    search = read_search(pairs)
    assert is_untidy(pairs)
    assert [column.name for column in search.columns] == ["OBJECT", "FILTER"]
    assert search.url() == "?columns=OBJECT,FILTER"


@pytest.mark.parametrize(
    ("pairs", "name"),
    [
        ([("night", "tomorrow")], "night"),
        ([("RA", "10")], "DEC"),
        ([("DEC", "10")], "RA"),
        ([("RA", "10"), ("DEC", "100")], "DEC"),
        ([("limit", "many")], "limit"),
        ([("sort", "etag")], "sort"),
        ([("RLEVEL", "raw")], "RLEVEL"),
    ],
)
def test_what_cannot_be_read_is_named(pairs: list[tuple[str, str]], name: str) -> None:
    search = read_search(pairs)
    assert search.query is None
    assert search.problem is not None
    assert search.problem[0] == name
    assert search.problem[1]


def test_a_position_goes_as_a_whole() -> None:
    search = read_search([("RA", "10"), ("DEC", "20"), ("radius", "5"), ("FILTER", "V"), ("offset", "50")])
    urls = {field.name: url for field, _, url in search.chips}
    assert urls["RA"] == urls["DEC"] == urls["radius"] == "?FILTER=V"
    assert dict(read(urls["FILTER"])) == {"RA": "10", "DEC": "20", "radius": "5"}


def test_sorting_twice_turns_round() -> None:
    column = COLUMNS["EXPTIME"]
    once = read_search(read(read_search([]).sorted_url(column)))
    assert (once.sort, once.is_descending) == ("EXPTIME", False)
    twice = read_search(read(once.sorted_url(column)))
    assert (twice.sort, twice.is_descending) == ("EXPTIME", True)
    back = read_search(read(twice.sorted_url(COLUMNS["DATE_OBS"])))
    assert (back.sort, back.is_descending) == ("DATE_OBS", True)


def test_programs_ask_for_the_same_frames() -> None:
    search = read_search([(name, value) for name, value in VALUES.items() if name not in ("view", "columns", "limit")])
    asked = dict(parse_qsl(search.api_query(limit=5)))
    assert asked == {name: VALUES[name] for name in VALUES if name not in ("view", "columns")} | {"limit": "5"}
