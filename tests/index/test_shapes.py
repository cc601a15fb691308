"""What shapes tell of names is true, whatever is looked for."""

import random
from dataclasses import asdict, replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

import shared.index.combinations as combinations
import shared.index.name_lookup as name_lookup
import shared.index.paging as paging
from shared.database import read, write
from shared.index.bulk import put_frames
from shared.index.frames import put_frame, remove_frame
from shared.index.models import Frame, NameShape
from shared.index.parameters import parse_filter, parse_query
from shared.index.query import aggregate, list_frames
from shared.index.scope import scope_of
from shared.index.shapes import NUMBER, Sought, name_shape, sought
from shared.index.tallies import gather
from tests.index import plain

ALPHABET = "ab-012"


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("coj1m011-kb24-20210503-0042-e91", f"coj1m{NUMBER}-kb24-{NUMBER}-{NUMBER}-e91"),
        ("m42", "m42"),
        ("2019-09-03_m 31_300.00s", f"{NUMBER}-09-03_m 31_{NUMBER}.00s"),
        ("٣٣٣", "٣٣٣"),
        (f"1234{NUMBER}", None),
    ],
)
def test_numbers_are_taken_out(name: str, shape: str | None) -> None:
    assert name_shape(name) == shape


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("light", Sought("light", ())),
        ("coj1m", Sought("coj1m", ())),
        ("-e91", Sought("-e91", (f"-e{NUMBER}",))),
        ("-0042-", Sought(None, (f"-{NUMBER}-",))),
        ("42", Sought("42", None)),
        ("20210503", Sought(None, None)),
        (f"a{NUMBER}", Sought(None, None)),
    ],
)
def test_how_a_part_is_looked_for(part: str, expected: Sought) -> None:
    assert sought(part) == expected


def test_what_is_sure_is_true_and_what_is_impossible_is_not() -> None:
    """Names and parts of few letters, so that all ways of overlapping occur."""
    rng = random.Random(3)
    met = {"sure": 0, "possible": 0, "impossible": 0}
    for _ in range(20_000):
        name = "".join(rng.choices(ALPHABET, k=rng.randrange(1, 14)))
        if rng.random() < 0.5:
            begin = rng.randrange(len(name))
            part = name[begin : begin + rng.randrange(1, 8)]
        else:
            part = "".join(rng.choices(ALPHABET, k=rng.randrange(1, 6)))
        shape, wanted = name_shape(name), sought(part)
        assert shape is not None
        if wanted.sure is not None and wanted.sure in shape:
            met["sure"] += 1
            assert part in name
        elif wanted.possible is None or any(way in shape for way in wanted.possible):
            met["possible"] += 1
        else:
            met["impossible"] += 1
            assert part not in name, (name, part)
    assert min(met.values()) > 1000, met


def test_numbers_in_names_are_found_whatever_is_cut_off(factory: sessionmaker[Session]) -> None:
    """Names of few digits; they change and go, too, and nothing of the old ones is found."""
    rng = random.Random(8)
    stock = plain.random_records(120, seed=8)
    there = {record.key: replace(record, basename="".join(rng.choices("a-012", k=14))) for record in stock}
    with write(factory) as session:
        put_frames(session, there.values())
        for key in rng.sample(sorted(there), 30):
            there[key] = replace(there[key], basename="".join(rng.choices("a-012", k=14)))
            put_frame(session, there[key])
        for key in rng.sample(sorted(there), 20):
            del there[key]
            remove_frame(session, "frames", key)
    found = 0
    for _ in range(300):
        name = rng.choice(list(there.values())).basename
        begin = rng.randrange(len(name) - 3)
        part = name[begin : begin + rng.randrange(3, 8)]
        expected = sum(part in record.basename for record in there.values())
        with read(factory) as session:
            wanted = parse_filter([("basename", part), ("undated", "true")])
            assert session.scalar(select(func.count()).where(*scope_of(session, wanted).rows())) == expected, part
        found += expected
    assert found > 400


def test_names_beyond_the_limit_are_found_all_the_same(
    factory: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = plain.random_records(60, seed=2)
    with write(factory) as session:
        put_frames(session, records[:1])
        shapes = session.scalars(select(NameShape.id)).all()
    monkeypatch.setattr(combinations, "MOST_SHAPES", max(shapes))
    with write(factory) as session:
        put_frames(session, records)
        assert session.scalars(select(NameShape.id)).all() == shapes
        assert None in set(session.scalars(select(Frame.shape_id)))
    for part in ("e", "e0", "-", "00", "20240115", "s"):
        expected = sum(part in record.basename.casefold() for record in records)
        with read(factory) as session:
            query = parse_query([("basename", part), ("undated", "true")])
            assert list_frames(session, query).count == expected, part


@pytest.mark.parametrize("few", [0, 10_000])
def test_many_shapes_are_counted_like_few(
    factory: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(name_lookup, "_FEW", few)
    monkeypatch.setattr(paging, "_FEW", 5)
    records = {record.key: record for record in plain.random_records(90, seed=21)}
    with write(factory) as session:
        put_frames(session, list(records.values())[:60])
        gather(session)
        put_frames(session, list(records.values())[60:])
    with read(factory) as session:
        rows = [(frame_id, records[key]) for frame_id, key in session.execute(select(Frame.id, Frame.key))]
        for part in ("e0", "e00", "-e", "00", "003", "flat", "nowhere"):
            for more in ({}, {"SITE": "sutherland"}, {"IMAGETYPE": "bias"}):
                given = {"basename": part, **more}
                expected = plain.matching(rows, given)
                for order in ("asc", "desc"):
                    page = list_frames(session, parse_query((given | {"order": order, "limit": "9"}).items()))
                    assert page.count == len(expected), given
                    ids = plain.sorted_ids(expected, "DATE_OBS", descending=order == "desc")
                    assert [row.frame.id for row in page.rows] == ids[:9], given
                assert asdict(aggregate(session, parse_filter(given.items()))) == plain.aggregate(expected), given
