"""Marks of the sky map: together they have all frames, and each as a cone has its own."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import shared.index.sky_map as module
from shared.database import make_session_factory, read
from shared.index.parameters import parse_filter
from shared.index.record import FrameRecord
from shared.index.sky_map import SkyMap, sky_map
from shared.index.sky_tiles import SkyMark, marks_of
from tests.index import plain
from tests.index.stock import Row, put_stock
from tests.index.test_query import CHOICES, CONES, parameters

Position = tuple[float, float]


@pytest.fixture(scope="module")
def rows(engine: Engine) -> list[Row]:
    """Frames all over the sky and at its poles, some counted, some not yet, some gone."""
    rng = random.Random(21)

    def moved(record: FrameRecord, seed: int) -> FrameRecord:
        record = replace(record, key=f"{seed}/{record.key}")
        if record.ra is not None and rng.random() < 0.3:
            record = replace(record, ra=rng.uniform(0.0, 360.0), dec=rng.uniform(-90.0, 90.0))
        return record

    lots = [[moved(record, seed) for record in plain.random_records(150, seed=seed)] for seed in (31, 32)]
    return put_stock(engine, *lots, gone=8)


@pytest.fixture(scope="module")
def session(engine: Engine, rows: list[Row]) -> Iterator[Session]:
    with read(make_session_factory(engine)) as session:
        yield session


def positions(rows: Sequence[Row]) -> list[Position]:
    return [(row.ra, row.dec) for _, row in rows if row.ra is not None and row.dec is not None]


def assert_shown(marks: Sequence[SkyMark], frames: Sequence[Position]) -> None:
    assert sum(mark.count for mark in marks) == len(frames)
    near = [[plain.separation((mark.ra, mark.dec), frame) <= mark.radius / 60.0 for frame in frames] for mark in marks]
    assert all(map(any, zip(*near, strict=True)))
    assert all(sum(within) >= mark.count for mark, within in zip(marks, near, strict=True))
    assert [mark.dec for mark in marks] or not frames


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_frames_are_on_the_map(session: Session, rows: list[Row], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(CHOICES)), max_size=3, unique=True))
    wanted: dict[str, Any] = {name: data.draw(st.sampled_from(CHOICES[name]), name) for name in names}
    if data.draw(st.booleans()):
        wanted["cone"] = data.draw(st.sampled_from(CONES))
    undated = data.draw(st.booleans())
    found = sky_map(session, parse_filter(parameters(wanted, undated=str(undated).lower())))
    assert (found.complete, found.of) == (True, None)
    assert_shown(found.marks, positions(plain.matching(rows, wanted, undated=undated)))


@pytest.mark.parametrize("few", [0, 5000])
@pytest.mark.parametrize("undated", [False, True])
@pytest.mark.parametrize("most", [5, 40, 2000])
def test_the_whole_sky_is_from_counts(
    session: Session, rows: list[Row], monkeypatch: pytest.MonkeyPatch, few: int, undated: bool, most: int
) -> None:
    monkeypatch.setattr(module, "_FEW_CELLS", few)
    monkeypatch.setattr(module, "MOST_MARKS", most)
    found = sky_map(session, parse_filter([("undated", str(undated).lower())]))
    assert found.complete
    assert_shown(found.marks, positions(plain.matching(rows, {}, undated=undated)))


@pytest.mark.parametrize("cone", [("0", "0", "110"), ("83.8", "-5.4", "120"), ("0", "90", "90"), ("180", "60", "2")])
@pytest.mark.parametrize("more", [{}, {"start": "2024-01-16T05:00:00"}, {"undated": "true"}])
def test_around_a_position(session: Session, rows: list[Row], cone: tuple[str, str, str], more: dict[str, str]) -> None:
    found = sky_map(session, parse_filter(parameters({"cone": cone}, **more)))
    wanted = {name: value for name, value in more.items() if name != "undated"} | {"cone": cone}
    assert_shown(found.marks, positions(plain.matching(rows, wanted, undated="undated" in more)))


@pytest.mark.parametrize(
    "wanted",
    [
        *({"SITE": "sutherland"}, {"EXPTIME": "1"}, {"OBJECT": "m"}, {"night": "2024-01-15"}, {"basename": "e00"}),
        *({"cone": ("0", "0", "110"), "SITE": "sutherland"}, {"end": "2024-01-17"}, {"cone": CONES[7]}),
    ],
)
def test_of_too_many_the_newest_are_shown(
    session: Session, rows: list[Row], monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any]
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 15)
    monkeypatch.setattr(module, "MOST_NEWEST", 15)
    found: SkyMap = sky_map(session, parse_filter(parameters(wanted)))
    assert not found.complete
    assert found.of is not None
    assert 0 < found.of <= 15
    every = positions(plain.matching(rows, wanted))
    assert sum(mark.count for mark in found.marks) <= min(found.of, len(every))
    for mark in found.marks:
        near = sum(plain.separation((mark.ra, mark.dec), frame) <= mark.radius / 60.0 for frame in every)
        assert near >= mark.count


def test_marks_are_as_fine_as_there_is_room_for() -> None:
    cells = [(zone * 16384 + place, 1) for zone in range(2700, 2760) for place in range(100, 160)]
    few, many = marks_of(cells, 100), marks_of(cells, 10_000)
    assert len(few) <= 100 < len(many) == len(cells)
    assert sum(mark.count for mark in few) == sum(mark.count for mark in many) == len(cells)
    assert max(mark.radius for mark in many) < 2.0 < max(mark.radius for mark in few)
