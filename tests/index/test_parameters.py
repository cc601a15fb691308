import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidParameterError
from shared.index.cone import Cone
from shared.index.parameters import FrameFilter, FrameQuery, parse_filter, parse_query
from shared.index.selection import SORT_COLUMNS

FILTERS = (
    *("IMAGETYPE", "binning", "SITE", "TELESCOPE", "INSTRUMENT", "FILTER", "RLEVEL", "OBJECT", "basename", "EXPTIME"),
    *("night", "REQNUM", "OBSNUM", "start", "end", "RA", "DEC", "radius", "undated"),
)
NAMES = (*FILTERS, "limit", "offset", "sort", "order", "asc")
ANY_TEXT = st.text(st.characters())


def detail(*parameters: tuple[str, str]) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        parse_query(parameters)
    return caught.value.detail


def test_nothing_asked_is_the_first_page_by_date() -> None:
    query = parse_query([])
    assert query == FrameQuery(limit=1000, offset=0, sort="DATE_OBS", descending=False, filter=FrameFilter())
    assert query.order == "asc"


@pytest.mark.parametrize(
    ("text", "limit", "offset"),
    [
        ("0", 0, 0),
        ("7", 7, 7),
        (" 7 ", 7, 7),
        ("+7", 7, 7),
        ("-3", 0, 0),
        ("1000", 1000, 1000),
        ("1001", 1000, 1001),
        ("9" * 5000, 1000, 2**63 - 1),
        ("-" + "9" * 5000, 0, 0),
        ("0" * 5000 + "5", 5, 5),
    ],
)
def test_paging_is_clamped(text: str, limit: int, offset: int) -> None:
    query = parse_query([("limit", text), ("offset", text)])
    assert (query.limit, query.offset) == (limit, offset)


@pytest.mark.parametrize("text", ["", "x", "1.0", "1e3", "1_0", "５", "0x10", "- 1", "1\0", "\ud800"])
@pytest.mark.parametrize("name", ["limit", "offset"])
def test_paging_that_cannot_be_read(name: str, text: str) -> None:
    assert detail((name, text)) == "Invalid values for offset/limit."


@pytest.mark.parametrize(
    ("parameters", "sort", "descending"),
    [
        ([("sort", "night")], "night", False),
        ([("sort", "night"), ("order", "desc")], "night", True),
        ([("order", "night")], "night", True),
        ([("order", "night"), ("asc", "")], "night", False),
        ([("order", "night"), ("asc", "true")], "night", False),
        ([("order", "night"), ("asc", "false")], "night", True),
        ([("sort", "id"), ("order", "OBJECT")], "OBJECT", True),
        ([("order", "desc"), ("asc", "")], "DATE_OBS", True),
        ([("sort", "x"), ("sort", "binning")], "binning", False),
    ],
)
def test_sorting_in_both_dialects(parameters: list[tuple[str, str]], sort: str, descending: bool) -> None:
    query = parse_query(parameters)
    assert (query.sort, query.descending) == (sort, descending)


@pytest.mark.parametrize("name", SORT_COLUMNS)
def test_every_column_sorts(name: str) -> None:
    assert parse_query([("sort", name)]).sort == name


@pytest.mark.parametrize("text", ["", "date_obs", "DATE-OBS", "sha256", "id; DROP TABLE frames", "-id", "\0"])
def test_sort_columns_that_there_are_not(text: str) -> None:
    assert detail(("sort", text)) == "Invalid value for sort."


@pytest.mark.parametrize("text", ["", "ASC", "up", "date_obs"])
def test_orders_that_there_are_not(text: str) -> None:
    assert detail(("order", text)) == "Invalid value for order."


def test_checks_have_an_order() -> None:
    bad = [("RLEVEL", "x"), ("order", "x"), ("sort", "x"), ("limit", "x")]
    assert detail(*bad) == "Invalid values for offset/limit."
    assert detail(*bad[:3]) == "Invalid value for sort."
    assert detail(*bad[:2]) == "Invalid value for order."
    assert detail(*bad[:1]) == "Invalid value for RLEVEL."


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("IMAGETYPE", " bias ", FrameFilter(image_type=" bias ")),
        ("IMAGETYPE", "all", FrameFilter(image_type="all")),
        ("SITE", "x", FrameFilter(site="x")),
        ("TELESCOPE", "x", FrameFilter(telescope="x")),
        ("INSTRUMENT", "x", FrameFilter(instrument="x")),
        ("FILTER", "None", FrameFilter(filter_name="None")),
        ("binning", "2x2", FrameFilter(binning="2x2")),
        ("binning", "1.0x1.0", FrameFilter(binning="1x1")),
        ("binning", " 02X1. ", FrameFilter(binning="2x1")),
        ("RLEVEL", "1", FrameFilter(reduction_level=1)),
        ("RLEVEL", "-1", FrameFilter(reduction_level=-1)),
        ("RLEVEL", "9" * 40, FrameFilter(reduction_level=2**63 - 1)),
        ("OBJECT", " M 31%_\\ ", FrameFilter(object_part="m 31%_\\")),
        ("OBJECT", "ALL", FrameFilter(object_part="all")),
        ("basename", "E00", FrameFilter(basename_part="e00")),
        ("EXPTIME", "2.5", FrameFilter(min_exposure=2.5)),
        ("EXPTIME", "-1e1", FrameFilter(min_exposure=-10.0)),
        ("night", "2024-1-15", FrameFilter(night=dt.date(2024, 1, 15))),
        ("night", " 20240115 ", FrameFilter(night=dt.date(2024, 1, 15))),
        ("REQNUM", " 0012 ", FrameFilter(request_number="0012")),
        ("OBSNUM", "0", FrameFilter(observation_number="0")),
        ("start", "2024-01-15", FrameFilter(start=dt.datetime.fromisoformat("2024-01-15T00:00"))),
        ("end", "2024-01-15T18:30 02:00", FrameFilter(end=dt.datetime.fromisoformat("2024-01-15T16:30"))),
        ("undated", "true", FrameFilter(undated=True)),
        ("undated", "false", FrameFilter()),
        ("site", "x", FrameFilter()),
        ("Limit", "x", FrameFilter()),
        ("unknown", "\0\ud800", FrameFilter()),
        ("limit", "x", FrameFilter()),
    ],
)
def test_filters(name: str, text: str, wanted: FrameFilter) -> None:
    assert parse_filter([(name, text)]) == wanted


@pytest.mark.parametrize("name", FILTERS)
def test_empty_and_all_ask_for_nothing(name: str) -> None:
    assert parse_filter([(name, "")]) == FrameFilter()
    if name not in ("OBJECT", "basename"):
        assert parse_filter([(name, "ALL")]) == FrameFilter()


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfff"])
@pytest.mark.parametrize("name", FILTERS)
def test_what_no_database_can_hold_is_refused(name: str, text: str) -> None:
    assert detail((name, text)) == f"Invalid value for {name}."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("binning", "2"),
        ("binning", "2x"),
        ("binning", "1.5x1.5"),
        ("binning", "-1x1"),
        ("binning", "x"),
        ("RLEVEL", "1.0"),
        ("RLEVEL", "one"),
        ("EXPTIME", "nan"),
        ("EXPTIME", "inf"),
        ("EXPTIME", "1e999"),
        ("EXPTIME", "1_0"),
        ("night", "yesterday"),
        ("night", "2024-02-30"),
        ("start", "soon"),
        ("end", "2024-01-15T99"),
        ("undated", "maybe"),
    ],
)
def test_filters_that_cannot_be_read(name: str, text: str) -> None:
    assert detail((name, text)) == f"Invalid value for {name}."


def test_the_last_of_a_repeated_name_counts() -> None:
    assert parse_filter([("SITE", "a"), ("SITE", "b")]) == FrameFilter(site="b")
    assert parse_filter([("RLEVEL", "x"), ("RLEVEL", "")]) == FrameFilter()


@pytest.mark.parametrize(
    ("parameters", "cone"),
    [
        ({"RA": "83.5", "DEC": "-5.25"}, Cone(83.5, -5.25, 10 / 60)),
        ({"RA": "5:34:00", "DEC": "-5:15", "radius": "30"}, Cone(83.5, -5.25, 0.5)),
        ({"RA": "83.5", "DEC": "-5.25", "radius": "0"}, Cone(83.5, -5.25, 0.0)),
        ({"RA": "83.5", "DEC": "-5.25", "radius": " "}, Cone(83.5, -5.25, 10 / 60)),
        ({"RA": "360", "DEC": "90", "radius": "10800"}, Cone(0.0, 90.0, 180.0)),
        ({"RA": "83.5"}, None),
        ({"DEC": "83.5"}, None),
        ({"RA": "nonsense", "DEC": " "}, None),
        ({"RA": "ALL", "DEC": "nonsense", "radius": "-1"}, None),
        ({"radius": "nonsense"}, None),
    ],
)
def test_positions(parameters: dict[str, str], cone: Cone | None) -> None:
    assert parse_filter(parameters.items()) == FrameFilter(cone=cone)


@pytest.mark.parametrize(
    ("name", "text"),
    [("RA", "x"), ("RA", "361"), ("RA", "nan"), ("DEC", "91"), ("DEC", "inf"), ("radius", "-1"), ("radius", "10801")],
)
def test_positions_that_cannot_be_read(name: str, text: str) -> None:
    assert detail(*({"RA": "1", "DEC": "1", name: text}).items()) == f"Invalid value for {name}."


def outcome(parameters: list[tuple[str, str]]) -> FrameQuery | InvalidParameterError:
    try:
        return parse_query(parameters)
    except InvalidParameterError as error:
        return error


@given(st.lists(st.tuples(st.sampled_from(NAMES) | ANY_TEXT, ANY_TEXT)))
def test_any_text_is_read_or_refused_by_name(parameters: list[tuple[str, str]]) -> None:
    found = outcome(parameters)
    if isinstance(found, InvalidParameterError):
        assert found.name in dict(parameters)
        assert found.detail in (f"Invalid value for {found.name}.", "Invalid values for offset/limit.")
    else:
        assert 0 <= found.limit <= 1000
        assert 0 <= found.offset < 2**63
