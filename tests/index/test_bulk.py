"""Many frames at once are written as one by one."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.index import combinations
from shared.index.bulk import put_frames
from shared.index.frames import put_frame
from shared.index.models import Combination, Frame, FrameLink, NameShape, ObjectName
from shared.index.record import FrameRecord
from tests.index import plain
from tests.index.factory import make_record
from tests.population.batch import records
from tests.population.stream import Population

Factory = sessionmaker[Session]
COUNTED = {"combination_id": Combination.signature, "object_id": ObjectName.name, "shape_id": NameShape.shape}


def held(factory: Factory) -> list[dict[str, Any]]:
    """Return all frames by key with their links, and with texts for the ids of what they are counted with."""
    columns = [
        column for column in Frame.__table__.columns if column.name not in ("id", "ingested_at", "updated_at", *COUNTED)
    ]
    statement = (
        select(*columns, *(text.label(name) for name, text in COUNTED.items()), Frame.id.label("frame_id"))
        .outerjoin(Combination, Combination.id == Frame.combination_id)
        .outerjoin(ObjectName, ObjectName.id == Frame.object_id)
        .outerjoin(NameShape, NameShape.id == Frame.shape_id)
        .order_by(Frame.bucket, Frame.key)
    )
    with read(factory) as session:
        links: dict[int, set[tuple[str, str]]] = {}
        for link in session.scalars(select(FrameLink)):
            links.setdefault(link.frame_id, set()).add((link.keyword, link.target))
        rows = [dict(row) for row in session.execute(statement).mappings()]
    return [row | {"links": links.get(row.pop("frame_id"))} for row in rows]


def written(factory: Factory, stock: list[FrameRecord], *, at_once: bool) -> list[dict[str, Any]]:
    with write(factory) as session:
        if at_once:
            assert put_frames(session, stock) == len(stock)
        else:
            for record in stock:
                put_frame(session, record)
    return held(factory)


def test_rows_are_those_of_one_by_one(factory: Factory) -> None:
    stock = [record for batch in Population(500).batches() for record in records(batch)][:120]
    at_once = written(factory, stock, at_once=True)
    assert len(at_once) == 120
    assert any(row["links"] for row in at_once)
    assert any(row["shape_id"] for row in at_once)
    with write(factory) as session:
        for row in session.scalars(select(Frame)).all():
            session.delete(row)
    assert written(factory, stock, at_once=False) == at_once


def test_frames_that_are_there_are_replaced_and_keep_their_ids(factory: Factory) -> None:
    stock = plain.random_records(40, seed=1)
    written(factory, stock, at_once=False)
    with read(factory) as session:
        before = dict(session.execute(select(Frame.key, Frame.id)).all())
    changed = [replace(record, site="elsewhere", links=()) for record in stock]
    rows = written(factory, changed, at_once=True)
    with read(factory) as session:
        assert dict(session.execute(select(Frame.key, Frame.id)).all()) == before
    assert {row["site"] for row in rows} == {"elsewhere"}
    assert all(row["links"] is None for row in rows)


def test_one_key_in_two_buckets_is_two_frames(factory: Factory) -> None:
    stock = [make_record(bucket=bucket, object_name=bucket) for bucket in ("a", "b")]
    assert [row["object_name"] for row in written(factory, stock, at_once=True)] == ["a", "b"]


def test_shapes_too_many_are_none(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combinations, "MOST_SHAPES", 0)
    rows = written(factory, [make_record(), make_record(key="é.fits")], at_once=True)
    assert [row["shape_id"] for row in rows] == [None, None]


def test_a_batch_takes_few_statements_whatever_its_size(factory: Factory) -> None:
    """So that a thousand frames are written in about the time of their rows."""
    engine = factory.kw["bind"]
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    stock = [record for batch in Population(500).batches() for record in records(batch)][:400]
    event.listen(engine, "before_cursor_execute", note)
    try:
        written(factory, stock, at_once=True)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(statements) < 25
