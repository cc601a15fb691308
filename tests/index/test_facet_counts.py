"""Counts of facets against those of a plain list, and against the counts of lists."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import shared.index.facet_counts as module
from shared.database import make_session_factory, read
from shared.index.counts import count_frames
from shared.index.facet_counts import FacetCounts, facet_counts
from shared.index.parameters import parse_filter
from shared.index.scope import scope_of
from tests.index import plain
from tests.index.stock import Row, put_stock
from tests.index.test_query import CHOICES, CONES, parameters, statements


@pytest.fixture(scope="module")
def rows(engine: Engine) -> list[Row]:
    """Frames, some of which are counted, some not yet; and some have gone again, which is not counted yet either."""
    lots = [[replace(one, key=f"{seed}/{one.key}") for one in plain.random_records(150, seed=seed)] for seed in (7, 8)]
    return put_stock(engine, *lots, gone=11)


@pytest.fixture(scope="module")
def session(engine: Engine, rows: list[Row]) -> Iterator[Session]:
    with read(make_session_factory(engine)) as session:
        yield session


def counted(facets: FacetCounts) -> dict[str, dict[Any, int | None]]:
    return {name: {item.value: item.count for item in getattr(facets, name)} for name in plain.FACETS}


def in_order(facets: FacetCounts) -> bool:
    lists = [[item.value for item in getattr(facets, name)] for name in plain.FACETS]
    return all(values == sorted(values) for values in lists)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_are_those_of_a_plain_list(session: Session, rows: list[Row], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(CHOICES)), max_size=4, unique=True))
    wanted: dict[str, Any] = {name: data.draw(st.sampled_from(CHOICES[name]), name) for name in names}
    if data.draw(st.booleans()):
        wanted["cone"] = data.draw(st.sampled_from(CONES))
    undated = data.draw(st.booleans())
    found = facet_counts(session, parse_filter(parameters(wanted, undated=str(undated).lower())))
    assert found.complete
    assert counted(found) == plain.facet_counts(rows, wanted, undated=undated)
    assert in_order(found)


@pytest.mark.parametrize("name", ["", *CHOICES, "cone"])
def test_a_value_leaves_what_its_list_counts(session: Session, rows: list[Row], name: str) -> None:
    wanted: dict[str, Any] = {name: CONES[0] if name == "cone" else CHOICES[name][0]} if name else {}
    found = facet_counts(session, parse_filter(parameters(wanted)))
    assert any(counted(found).values())
    for facet, (parameter, _) in plain.FACETS.items():
        for value, count in counted(found)[facet].items():
            chosen = parse_filter(parameters(wanted | {parameter: str(value)}))
            assert count_frames(session, scope_of(session, chosen)) == count, (facet, value)


@pytest.mark.parametrize(
    "wanted",
    [
        {"EXPTIME": "30"},
        {"OBJECT": "m", "start": "2024-01-16"},
        {"start": "2024-01-16"},
        {"REQNUM": "12"},
        {"basename": "e00"},
        {"basename": "0", "OBJECT": "m"},
        {"cone": ("0", "0", "110")},
        {"cone": CONES[7]},
    ],
)
def test_too_much_to_count_gives_values_alone(
    session: Session, rows: list[Row], monkeypatch: pytest.MonkeyPatch, wanted: dict[str, Any]
) -> None:
    wanted = wanted | {"SITE": "sutherland"}
    monkeypatch.setattr(module, "MOST_ROWS", 20)
    monkeypatch.setattr(module, "MOST_COUNTS", 20)
    found = facet_counts(session, parse_filter(parameters(wanted)))
    assert not found.complete
    values = counted(found)
    assert {count for of_facet in values.values() for count in of_facet.values()} == {None}
    for facet, expected in plain.facet_counts(rows, wanted).items():
        assert expected.keys() <= values[facet].keys()
    assert values["sites"].keys() == {"sutherland", "Sutherland", "mcdonald"}
    assert in_order(found)


def test_statements_do_not_grow_with_what_is_asked(session: Session) -> None:
    numbers = []
    for wanted in ({}, {"SITE": "sutherland"}, {"SITE": "sutherland", "FILTER": "Red", "binning": "2x2"}):
        with statements(session) as seen:
            facet_counts(session, parse_filter(wanted.items()))
        numbers.append(len(seen))
    assert numbers == [2, 2, 2]
