"""Walking by cursor meets the frames that paging by offset lists, also while frames come and go."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_session_factory, read, write
from shared.errors import InvalidParameterError
from shared.index.cursor import Cursor, Position, write_cursor
from shared.index.frames import put_frame, remove_frame
from shared.index.pages import walk_frames
from shared.index.parameters import parse_query
from shared.index.query import list_frames
from shared.index.record import FrameRecord
from shared.index.selection import SORT_COLUMNS
from tests.index import plain
from tests.index.factory import make_record
from tests.index.test_query import statements

Factory = sessionmaker[Session]
Row = tuple[int, FrameRecord]


@pytest.fixture(scope="module")
def rows(engine: Engine) -> list[Row]:
    records = plain.random_records(80, seed=7)
    with write(make_session_factory(engine)) as session:
        return [(put_frame(session, record), record) for record in records]


@pytest.fixture(scope="module")
def session(engine: Engine, rows: list[Row]) -> Iterator[Session]:
    with read(make_session_factory(engine)) as session:
        yield session


def walk(session: Session, parameters: dict[str, str]) -> Iterator[list[int]]:
    """Yield the ids of each page."""
    cursor: str | None = ""
    while cursor is not None:
        page = walk_frames(session, parse_query((parameters | {"cursor": cursor}).items()))
        yield [row.frame.id for row in page.rows]
        assert page.next is None or page.next != cursor
        cursor = page.next


@pytest.mark.parametrize("undated", ["true", "false"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", sorted(SORT_COLUMNS))
def test_a_walk_is_the_list(session: Session, rows: list[Row], sort: str, order: str, undated: str) -> None:
    parameters = {"sort": sort, "order": order, "undated": undated}
    listed = [row.frame.id for row in list_frames(session, parse_query(parameters.items())).rows]
    expected = plain.matching(rows, {}, undated=undated == "true")
    assert listed == plain.sorted_ids(expected, sort, descending=order == "desc")
    for limit in ("7", "80"):
        pages = list(walk(session, parameters | {"limit": limit}))
        assert [frame_id for page in pages for frame_id in page] == listed
        assert all(len(page) == int(limit) for page in pages[:-1])
        assert pages[-1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(SORT_COLUMNS)),
    st.sampled_from(["asc", "desc"]),
    st.integers(1, 90),
    st.sampled_from([{}, {"FILTER": "None"}, {"OBJECT": "m"}, {"RA": "0", "DEC": "0", "radius": "90"}]),
)
def test_filters_and_pages_of_any_length(
    session: Session, rows: list[Row], sort: str, order: str, limit: int, wanted: dict[str, str]
) -> None:
    parameters = wanted | {"sort": sort, "order": order}
    listed = [row.frame.id for row in list_frames(session, parse_query(parameters.items())).rows]
    assert [frame_id for page in walk(session, parameters | {"limit": str(limit)}) for frame_id in page] == listed


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SORT_COLUMNS)), st.sampled_from(["asc", "desc"]), st.integers(0, 10**6))
def test_what_stays_is_met_once_while_others_come_and_go(factory: Factory, sort: str, order: str, seed: int) -> None:
    rng = random.Random(seed)
    # Keys of their own: a frame that is overwritten by another may move, and be met twice.
    records = [replace(record, bucket="busy") for record in plain.random_records(40, seed=seed)]
    stay, come_or_go = records[:20], records[20:]
    with write(factory) as session:
        stayed = {put_frame(session, record) for record in stay}
    met: list[int] = []
    cursor: str | None = ""
    parameters = {"sort": sort, "order": order, "undated": "true", "limit": "4"}
    while cursor is not None:
        with read(factory) as session:
            page = walk_frames(session, parse_query((parameters | {"cursor": cursor}).items()))
        met += [row.frame.id for row in page.rows]
        cursor = page.next
        with write(factory) as session:
            for record in rng.sample(come_or_go, 5):
                put_frame(session, record) if rng.random() < 0.5 else remove_frame(session, record.bucket, record.key)
    assert len(met) == len(set(met))
    assert stayed <= set(met)
    with write(factory) as session:
        for record in records:
            remove_frame(session, record.bucket, record.key)


def test_the_count_is_that_of_the_beginning(factory: Factory) -> None:
    with write(factory) as session:
        for number in range(5):
            put_frame(session, make_record(key=f"{number}.fits"))
    with read(factory) as session:
        first = walk_frames(session, parse_query([("cursor", ""), ("limit", "2")]))
    assert (first.count, len(first.rows)) == (5, 2)
    with write(factory) as session:
        remove_frame(session, "frames", "4.fits")
    with read(factory) as session:
        asked = [("cursor", first.next or ""), ("limit", "2"), ("offset", "100")]
        with statements(session) as sent:
            second = walk_frames(session, parse_query(asked))
    assert (second.count, len(second.rows), second.next) == (5, 2, None)
    assert len([line for line in sent if line.startswith("SELECT")]) == 4


def test_an_empty_page_ends_the_walk(factory: Factory) -> None:
    with read(factory) as session:
        assert walk_frames(session, parse_query([("cursor", "")])).next is None
        assert walk_frames(session, parse_query([("cursor", ""), ("limit", "0")])).next is None


@pytest.mark.parametrize(
    ("sort", "value"),
    [("RLEVEL", "text"), ("RLEVEL", None), ("OBJECT", 5), ("DATE_OBS", dt.date(2024, 1, 1)), ("id", 1.5)],
)
def test_a_forged_value_is_refused_or_harmless(factory: Factory, sort: str, value: object) -> None:
    text = write_cursor(Cursor(Position(value, 1), 1), sort, descending=False)  # type: ignore[arg-type]
    with read(factory) as session:
        query = parse_query([("cursor", text), ("sort", sort)])
        if sort == "id":
            assert walk_frames(session, query).rows == ()
        else:
            with pytest.raises(InvalidParameterError, match=r"^Invalid value for cursor\.$"):
                walk_frames(session, query)


@pytest.mark.parametrize("text", ["x", "é", "AAAA", "A" * 30_000, "null", " "])
def test_what_is_no_cursor_is_refused_last(text: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"^Invalid value for cursor\.$"):
        parse_query([("cursor", text)])
    with pytest.raises(InvalidParameterError, match=r"^Invalid value for night\.$"):
        parse_query([("cursor", text), ("night", "x")])
