"""Every query against what a plain list answers."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from shared.database import make_session_factory, read, write
from shared.errors import InvalidParameterError
from shared.index.frames import put_frame
from shared.index.parameters import parse_filter, parse_query
from shared.index.query import (
    FramePage,
    aggregate,
    get_frame,
    list_frames,
    naming_frames,
    related_ids,
    undated_beside,
)
from shared.index.record import FrameRecord, LinkRecord
from shared.index.selection import SORT_COLUMNS, FrameQuery
from tests.index import plain
from tests.index.factory import make_record
from tests.index.test_parameters import ANY_TEXT, NAMES

Row = tuple[int, FrameRecord]

CHOICES: dict[str, tuple[str, ...]] = {
    "IMAGETYPE": ("object", "Light Frame", "light frame", "dark"),
    "SITE": ("sutherland", "Sutherland", "x"),
    "TELESCOPE": ("0m5", "1m0 "),
    "INSTRUMENT": ("kb03", "ZWO ASI294MC Pro"),
    "FILTER": ("Red", "red", "None", "u'"),
    "binning": ("1x1", "2x2", "10x2", "3x3"),
    "RLEVEL": ("0", "91", "7"),
    "OBJECT": ("m42", " M 42 ", "%", "_", "\\", "strasse", "STRASSE", "ÅNGSTRÖM", "none", "all", "'", "x" * 5000),
    "basename": ("E00", "-e", "%", "_X", "äö", "0001", ".fits"),
    "EXPTIME": ("0", "30", "30.000001", "1e6", "-5"),
    "night": ("2024-01-15", "2024-01-16", "1999-01-01"),
    "REQNUM": ("12", "0012", "x"),
    "OBSNUM": ("1", "01"),
    "start": ("2024-01-16", "2024-01-16T03:00:00.123456", "2024-01-16T03:00:00.123457"),
    "end": ("2024-01-17", "2024-01-16T03:00:00.123456", "2024-01-16T03:00:00.123455"),
}
CONES = (
    *(("0", "0", "30"), ("359.9", "0.1", "45"), ("0.2", "-0.3", "10"), ("10", "89.9", "60"), ("200", "-90", "30")),
    *(("83.8", "-5.4", "10"), ("83.8", "-5.4", "0"), ("180", "60", "6000"), ("0", "90", "10800"), ("90", "45", "5399")),
)


@pytest.fixture(scope="module")
def rows(engine: Engine) -> list[Row]:
    records = plain.random_records(300, seed=2024)
    with write(make_session_factory(engine)) as session:
        return [(put_frame(session, record), record) for record in records]


@pytest.fixture(scope="module")
def session(engine: Engine, rows: list[Row]) -> Iterator[Session]:
    with read(make_session_factory(engine)) as session:
        yield session


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def parameters(wanted: dict[str, Any], **more: str) -> list[tuple[str, str]]:
    given = {name: value for name, value in wanted.items() if name != "cone"} | more
    if "cone" in wanted:
        given |= dict(zip(("RA", "DEC", "radius"), wanted["cone"], strict=True))
    return list(given.items())


def ids(page: FramePage) -> list[int]:
    return [row.frame.id for row in page.rows]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in CHOICES.items() for value in values])
def test_each_filter_leaves_what_a_plain_list_leaves(session: Session, rows: list[Row], name: str, value: str) -> None:
    page = list_frames(session, parse_query(parameters({name: value})))
    expected = plain.sorted_ids(plain.matching(rows, {name: value}), "DATE_OBS", descending=False)
    assert (page.count, ids(page)) == (len(expected), expected)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in CHOICES.items() for value in values])
def test_frames_without_date_are_counted_beside_it(session: Session, rows: list[Row], name: str, value: str) -> None:
    beside = undated_beside(session, parse_filter([(name, value)]))
    every, dated = plain.matching(rows, {name: value}, undated=True), plain.matching(rows, {name: value})
    if name in ("night", "start", "end"):
        assert beside == 0
    elif name in ("basename", "EXPTIME", "REQNUM", "OBSNUM"):
        assert beside is None
    else:
        assert beside == len(every) - len(dated)
    assert undated_beside(session, parse_filter([(name, value), ("undated", "true")])) == 0


@pytest.mark.parametrize("cone", CONES)
@pytest.mark.parametrize("undated", [False, True])
def test_each_cone_leaves_what_a_plain_list_leaves(
    session: Session, rows: list[Row], cone: tuple[str, str, str], undated: bool
) -> None:
    page = list_frames(session, parse_query(parameters({"cone": cone}, undated=str(undated).lower())))
    expected = plain.sorted_ids(plain.matching(rows, {"cone": cone}, undated=undated), "DATE_OBS", descending=False)
    assert (page.count, ids(page)) == (len(expected), expected)
    assert page.count > 0 or cone[2] in ("0", "10")


def test_a_cone_of_no_width_finds_the_frame_at_its_centre(session: Session, rows: list[Row]) -> None:
    frame_id, record = next(row for row in rows if row[1].ra is not None and row[1].date_obs is not None)
    page = list_frames(session, parse_query([("RA", repr(record.ra)), ("DEC", repr(record.dec)), ("radius", "0")]))
    assert frame_id in ids(page)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", SORT_COLUMNS)
def test_each_sort_column_has_nulls_and_ties_in_their_places(
    session: Session, rows: list[Row], sort: str, order: str
) -> None:
    page = list_frames(session, parse_query([("sort", sort), ("order", order), ("undated", "true")]))
    assert ids(page) == plain.sorted_ids(rows, sort, descending=order == "desc")


def test_the_plain_list_knows_every_sort_column() -> None:
    assert {*plain.SORT_KEYS, "id"} == set(SORT_COLUMNS)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filters_together_leave_what_a_plain_list_leaves(
    session: Session, rows: list[Row], data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(CHOICES)), max_size=3, unique=True))
    wanted: dict[str, Any] = {name: data.draw(st.sampled_from(CHOICES[name]), name) for name in names}
    if data.draw(st.booleans()):
        wanted["cone"] = data.draw(st.sampled_from(CONES))
    undated, descending = data.draw(st.booleans()), data.draw(st.booleans())
    sort = data.draw(st.sampled_from(sorted(SORT_COLUMNS)))
    left = plain.matching(rows, wanted, undated=undated)
    given = parameters(wanted, undated=str(undated).lower(), sort=sort, order="desc" if descending else "asc")
    page = list_frames(session, parse_query(given))
    assert ids(page) == plain.sorted_ids(left, sort, descending=descending)
    assert page.count == len(left)
    assert asdict(aggregate(session, parse_filter(given))) == plain.aggregate(left)


@pytest.mark.parametrize("sort", ["DATE_OBS", "OBJECT", "id", "TEL_ALT"])
@pytest.mark.parametrize("limit", [1, 7, 299, 1000])
def test_pages_are_a_partition(session: Session, rows: list[Row], sort: str, limit: int) -> None:
    seen: list[int] = []
    while True:
        page = list_frames(session, FrameQuery(sort=sort, descending=True, limit=limit, offset=len(seen)))
        assert page.count == len(plain.matching(rows, {}))
        if not page.rows:
            break
        assert len(page.rows) == min(limit, page.count - len(seen))
        seen += ids(page)
    assert seen == plain.sorted_ids(plain.matching(rows, {}), sort, descending=True)


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (10, 10**6), (10, 2**63 - 1)])
def test_an_empty_page_still_counts(session: Session, rows: list[Row], limit: int, offset: int) -> None:
    page = list_frames(session, FrameQuery(limit=limit, offset=offset))
    assert (page.count, page.rows) == (len(plain.matching(rows, {})), ())


def test_undated_frames_are_left_out_of_options(session: Session, rows: list[Row]) -> None:
    assert asdict(aggregate(session, parse_filter([]))) == plain.aggregate(plain.matching(rows, {}))
    nothing = aggregate(session, parse_filter([("SITE", "nowhere")]))
    assert set(asdict(nothing).values()) == {()}


def test_statements_do_not_grow_with_the_page(session: Session) -> None:
    counts = []
    for limit in (1, 300):
        session.expunge_all()
        with statements(session) as seen:
            list_frames(session, FrameQuery(limit=limit))
        counts.append(len(seen))
    assert counts == [4, 4]
    with statements(session) as seen:
        aggregate(session, parse_filter([]))
    assert len(seen) == 2


@given(st.lists(st.tuples(st.sampled_from(NAMES), ANY_TEXT)))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_in_any_parameter_is_answered_or_refused(session: Session, given: list[tuple[str, str]]) -> None:
    try:
        query = parse_query(given)
    except InvalidParameterError:
        return
    assert list_frames(session, query).count >= 0
    aggregate(session, query.filter)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RLEVEL", "9" * 100),
        ("RLEVEL", "-" + "9" * 100),
        ("OBJECT", "x" * 200_000),
        ("OBJECT", "%" * 60_000),
        ("SITE", "y" * 200_000),
        ("REQNUM", "9" * 5000),
        ("binning", "9" * 5000 + "x1"),
        ("EXPTIME", "1e308"),
    ],
)
def test_overlong_values_match_nothing(session: Session, name: str, value: str) -> None:
    assert list_frames(session, parse_query([(name, value)])).count == 0


def test_one_frame_is_found_with_and_without_date(session: Session, rows: list[Row]) -> None:
    undated = next(frame_id for frame_id, record in rows if record.date_obs is None)
    found = get_frame(session, undated)
    assert found is not None
    assert (found.frame.id, found.frame.date_obs, found.related) == (undated, None, ())


@pytest.mark.parametrize("frame_id", [0, -1, 10**9, 2**63 - 1, 2**63, 10**100])
def test_ids_that_there_are_not(session: Session, frame_id: int) -> None:
    assert get_frame(session, frame_id) is None


@pytest.mark.usefixtures("rows")
def test_links_find_their_targets_whichever_came_first(engine: Engine) -> None:
    factory = make_session_factory(engine)
    names = ["night/linked-e91.fits", "night/bias.fits.fz", "other/dark.fits", "third/dark.fits.gz"]
    order = random.Random(1).sample(names, len(names))
    named = {"L1BIAS": "bias", "L1DARK": "dark", "L1AVG01": "dark", "L1FLAT": "never", "L1RAW": "linked-e91"}
    links = tuple(LinkRecord(keyword, target) for keyword, target in named.items())
    found: dict[str, int] = {}
    with write(factory) as writer:
        for name in order:
            found[name] = put_frame(writer, make_record(key=name, links=links if name == names[0] else ()))
        frame = found[names[0]]
        targets = tuple(sorted(found[name] for name in names[1:]))
        assert related_ids(writer, [frame, found[names[1]]]) == {frame: targets, found[names[1]]: ()}
        row = get_frame(writer, frame)
        assert row is not None
        assert row.related == targets
        assert related_ids(writer, []) == {}
        assert [row.frame.id for row in naming_frames(writer, "dark", 10)] == [frame]
        assert naming_frames(writer, "dark", 0) == naming_frames(writer, "nothing", 10) == ()
        writer.rollback()


def test_a_page_reads_links_of_all_its_frames(engine: Engine) -> None:
    with write(make_session_factory(engine)) as session:
        raw = [put_frame(session, make_record(key=f"linked/raw{n}.fits", site="links")) for n in range(30)]
        links = tuple(LinkRecord(f"L1AVG{n}", f"raw{n}") for n in range(30))
        flat = put_frame(session, make_record(key="linked/flat.fits", site="links", links=links))
        with statements(session) as seen:
            page = list_frames(session, parse_query([("SITE", "links")]))
        assert len(seen) == 5
        assert {row.frame.id: row.related for row in page.rows} == dict.fromkeys(raw, ()) | {flat: tuple(raw)}
        session.rollback()
