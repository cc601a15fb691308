"""Frames by night against a plain list, with nights that have little to do with the dates of their frames."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import shared.index.nights as module
from shared.database import make_session_factory, read
from shared.index.nights import NightCounts, count_nights
from shared.index.parameters import parse_filter
from shared.index.record import FrameRecord
from shared.index.years import year_of_nights
from tests.index import plain
from tests.index.stock import Row, put_stock
from tests.index.test_query import CHOICES, CONES, parameters

FIRST, LAST = dt.date(2023, 6, 1), dt.date(2024, 5, 31)


@pytest.fixture(scope="module")
def rows(engine: Engine) -> list[Row]:
    """Frames of three years, some counted, some not yet, some gone; nights at odds with dates among them."""
    rng = random.Random(3)

    def moved(record: FrameRecord, seed: int) -> FrameRecord:
        later = dt.timedelta(days=rng.choice((-400, -30, 0, 0, 1, 2, 300)))
        night = record.night and record.night + later * (rng.random() > 0.1)
        moment = record.date_obs and record.date_obs + later
        return replace(record, key=f"{seed}/{record.key}", night=night, date_obs=moment)

    lots = [[moved(record, seed) for record in plain.random_records(130, seed=seed)] for seed in (5, 6)]
    return put_stock(engine, *lots, gone=7)


@pytest.fixture(scope="module")
def session(engine: Engine, rows: list[Row]) -> Iterator[Session]:
    with read(make_session_factory(engine)) as session:
        yield session


def expected(rows: list[Row], wanted: dict[str, Any], *, undated: bool = False) -> dict[dt.date, int]:
    others = {name: value for name, value in wanted.items() if name != "night"}
    nights = Counter(record.night for _, record in plain.matching(rows, others, undated=undated))
    return {night: nights[night] for night in sorted(night for night in nights if night and FIRST <= night <= LAST)}


def counted(found: NightCounts) -> list[tuple[dt.date, int | None]]:
    return [(item.night, item.count) for item in found.nights]


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_are_those_of_a_plain_list(session: Session, rows: list[Row], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(CHOICES)), max_size=3, unique=True))
    wanted: dict[str, Any] = {name: data.draw(st.sampled_from(CHOICES[name]), name) for name in names}
    if data.draw(st.booleans()):
        wanted["cone"] = data.draw(st.sampled_from(CONES))
    undated = data.draw(st.booleans())
    frame_filter = parse_filter(parameters(wanted, undated=str(undated).lower()))
    found = count_nights(session, frame_filter, FIRST, LAST)
    assert found.complete
    assert counted(found) == list(expected(rows, wanted, undated=undated).items())


@pytest.mark.parametrize(
    "wanted",
    [
        {"EXPTIME": "30"},
        {"OBJECT": "m"},
        {"SITE": "sutherland", "start": "2023-02-01"},
        {"REQNUM": "12"},
        {"basename": "e00"},
        {"cone": ("0", "0", "110")},
        {"cone": CONES[7]},
    ],
)
def test_too_much_to_count_gives_nights_alone(
    session: Session, rows: list[Row], monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any]
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 5)
    monkeypatch.setattr(module, "MOST_COUNTS", 12)
    found = count_nights(session, parse_filter(parameters(wanted)), FIRST, LAST)
    assert not found.complete
    assert {count for _, count in counted(found)} <= {None}
    assert [night for night, _ in counted(found)] in (list(expected(rows, {})), [])


def test_the_calendar_of_a_year(session: Session, rows: list[Row]) -> None:
    years = sorted({record.night.year for _, record in rows if record.night and record.date_obs})
    found = year_of_nights(session, parse_filter([]), 2023)
    assert (found.year, list(found.years)) == (2023, years)
    assert sum(item.count or 0 for item in found.nights) == sum(
        record.night is not None and record.night.year == 2023 for _, record in plain.matching(rows, {})
    )
    assert year_of_nights(session, parse_filter([]), 1812).nights == ()


@pytest.mark.parametrize(
    "wanted",
    [
        *({}, {"SITE": "mcdonald"}, {"OBJECT": "m42"}, {"OBJECT": "ngc", "FILTER": "Red"}, {"night": "1999-01-01"}),
        *({"REQNUM": "12"}, {"basename": "003"}),
    ],
)
def test_without_a_year_it_is_the_latest_with_frames(session: Session, rows: list[Row], wanted: dict[str, str]) -> None:
    others = {name: value for name, value in wanted.items() if name != "night"}
    nights = [record.night for _, record in plain.matching(rows, others) if record.night]
    found = year_of_nights(session, parse_filter(wanted.items()), None)
    assert found.year == max(nights).year
    assert {item.night for item in found.nights} == {night for night in nights if night.year == found.year}


def test_what_counts_cannot_tell_shows_the_latest_year_of_all(session: Session) -> None:
    found = year_of_nights(session, parse_filter([("REQNUM", "none such")]), None)
    assert (found.year, found.nights) == (max(found.years), ())
    early = year_of_nights(session, parse_filter([("end", "2023-12-31")]), None)
    assert early.year == 2023
    assert early.nights
