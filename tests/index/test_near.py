"""Pages of frames around a position are those of the plain list, whatever its cells, its time and its page."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from shared.database import make_session_factory, read, write
from shared.index.frames import put_frame, remove_frame
from shared.index.pages import walk_frames
from shared.index.parameters import parse_query
from shared.index.query import list_frames
from shared.index.record import FrameRecord
from shared.index.tallies import gather
from tests.index import plain

CENTRES = ((0.0, 0.0), (0.0, 89.95), (83.8, -5.4), (180.0, 60.0))
RADII = (2, 10, 60, 120)
TIMES: tuple[dict[str, str], ...] = ({}, {"start": "2024-01-16T18:00:00"}, {"end": "2024-01-17T03:00:00"})


@pytest.fixture(scope="module")
def rows(engine: Engine) -> list[tuple[int, FrameRecord]]:
    """Frames in few places, half of them counted by cells, half of them not yet; some have gone again."""
    sessions, rng = make_session_factory(engine), random.Random(11)
    records = []
    for record in plain.random_records(160, seed=12):
        ra, dec = rng.choice(CENTRES)
        spread = rng.choice((0.02, 0.2, 1.5))
        place = (ra + rng.gauss(0, spread)) % 360.0, min(dec + rng.gauss(0, spread), 90.0)
        records.append(replace(record, ra=place[0], dec=place[1]))
    found = []
    for begin in (0, 80):
        with write(sessions) as session:
            found += [(put_frame(session, record), record) for record in records[begin : begin + 80]]
            if begin == 0:
                gather(session)
    with write(sessions) as session:
        for _, record in found[::9]:
            remove_frame(session, record.bucket, record.key)
    return [row for number, row in enumerate(found) if number % 9]


@pytest.fixture(scope="module")
def session(engine: Engine, rows: list[tuple[int, FrameRecord]]) -> Iterator[Session]:
    with read(make_session_factory(engine)) as session:
        yield session


def wanted(centre: tuple[float, float], radius: int, times: dict[str, str]) -> dict[str, str]:
    return {"RA": str(centre[0]), "DEC": str(centre[1]), "radius": str(radius)} | times


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("times", TIMES, ids=["always", "since", "until"])
def test_pages_and_counts(
    session: Session, rows: list[tuple[int, FrameRecord]], order: str, times: dict[str, str]
) -> None:
    found = 0
    for centre in CENTRES:
        for radius in RADII:
            parameters = wanted(centre, radius, times) | {"order": order}
            cone = (parameters["RA"], parameters["DEC"], parameters["radius"])
            matching = plain.matching(rows, times | {"cone": cone})
            expected = plain.sorted_ids(matching, "DATE_OBS", descending=order == "desc")
            found += len(expected)
            for offset, limit in ((0, 1000), (0, 7), (5, 7)):
                page = list_frames(
                    session, parse_query((parameters | {"offset": str(offset), "limit": str(limit)}).items())
                )
                assert page.count == len(expected), parameters
                assert [row.frame.id for row in page.rows] == expected[offset : offset + limit], parameters
            assert list(walked(session, parameters)) == expected, parameters
    assert found > 100


def walked(session: Session, parameters: dict[str, str]) -> Iterator[int]:
    """Yield the ids that a walk by cursor meets."""
    cursor: str | None = ""
    while cursor is not None:
        page = walk_frames(session, parse_query((parameters | {"limit": "6", "cursor": cursor}).items()))
        yield from (row.frame.id for row in page.rows)
        cursor = page.next


def test_frames_without_date_are_counted_if_they_are_asked_for(
    session: Session, rows: list[tuple[int, FrameRecord]]
) -> None:
    parameters = wanted(CENTRES[2], 120, {"undated": "true"})
    cone = (parameters["RA"], parameters["DEC"], parameters["radius"])
    expected = plain.matching(rows, {"cone": cone}, undated=True)
    page = list_frames(session, parse_query(parameters.items()))
    assert page.count == len(expected)
    assert {row.frame.id for row in page.rows} == {frame_id for frame_id, _ in expected}
    assert len(expected) > len(plain.matching(rows, {"cone": cone}))
