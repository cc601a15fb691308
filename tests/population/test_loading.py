"""Loading by columns leaves what ingest would have left, record by record."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, select

from shared.database import make_engine, make_session_factory, read, write
from shared.index.models import Frame, FrameLink
from shared.index.query import aggregate, list_frames
from shared.index.rows import frame_values
from shared.index.selection import FrameFilter, FrameQuery
from shared.index.tallies import wrong_counts
from shared.migrations import upgrade
from tests.bench_index.predecessor import PREDECESSOR_TABLES, PredecessorTables, make_tables
from tests.population.batch import records
from tests.population.bulk import bulk_tables
from tests.population.loading import load
from tests.population.stream import Population
from tests.postgres import new_database

POPULATION = Population(600)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'index.sqlite'}"
    return new_database(request.getfixturevalue("postgres"), "population")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    upgrade(engine)
    yield engine
    engine.dispose()
    if url.startswith("postgresql"):
        _drop(url)


def _drop(url: str) -> None:
    server = make_engine(url.replace("/population?", "/postgres?")).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE population")
    server.dispose()


def rows(engine: Engine, model: type[Frame] | type[FrameLink]) -> list[dict[str, Any]]:
    table = model.__table__
    columns = [column for column in table.columns if column.name not in ("ingested_at", "updated_at")]
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(*columns).order_by(*table.primary_key)).mappings()]


def schema(engine: Engine) -> set[str]:
    names = inspect(engine)
    return {str(index["name"]) for index in names.get_indexes("frames")} | {
        str(constraint["name"]) for constraint in names.get_unique_constraints("frames")
    }


def test_rows_are_those_that_ingest_writes(engine: Engine) -> None:
    before = schema(engine)
    assert load(engine, POPULATION.batches()) == 600
    assert schema(engine) == before
    told = [record for batch in POPULATION.batches() for record in records(batch)]
    links = {(number, link.keyword, link.target) for number, one in enumerate(told, 1) for link in one.links}
    assert {tuple(row.values()) for row in rows(engine, FrameLink)} == links
    for number, (row, record) in enumerate(zip(rows(engine, Frame), told, strict=True), 1):
        usual = (
            frame_values(record)
            | {"id": number}
            | {name: row[name] for name in ("combination_id", "object_id", "shape_id")}
        )
        vector = {name: pytest.approx(usual[name], abs=1e-15) for name in ("vector_x", "vector_y", "vector_z")}
        assert row == usual | vector


def test_what_is_counted_is_what_is_there(engine: Engine) -> None:
    load(engine, POPULATION.batches())
    with write(make_session_factory(engine)) as session:
        assert wrong_counts(session) == {}
    with read(make_session_factory(engine)) as session:
        assert not session.scalars(select(Frame.id).where(Frame.combination_id.is_(None))).all()
        name = session.scalars(select(Frame.basename).order_by(Frame.id)).first()
        found = list_frames(session, FrameQuery(filter=FrameFilter(basename_part=str(name).casefold(), undated=True)))
    assert name in {row.frame.basename for row in found.rows}


def test_loading_again_replaces_all(engine: Engine) -> None:
    load(engine, POPULATION.batches())
    load(engine, Population(500, seed=3).batches())
    with read(make_session_factory(engine)) as session:
        assert list_frames(session, FrameQuery(limit=1, filter=FrameFilter(undated=True))).count == 500
        assert len(aggregate(session, FrameFilter()).sites) == 6


def test_the_predecessors_tables_hold_the_same_frames(url: str, engine: Engine) -> None:
    make_tables(engine)
    with bulk_tables(engine, PREDECESSOR_TABLES) as write_rows:
        sink = PredecessorTables(write_rows)
        for batch in POPULATION.batches():
            sink.write(batch)
    dated = [record for batch in POPULATION.batches() for record in records(batch) if record.date_obs]
    with engine.connect() as connection:
        found = connection.exec_driver_sql('SELECT basename, "SITEID", "OBJECT" FROM api_frame ORDER BY id').all()
        related = connection.exec_driver_sql(
            "SELECT count(*), count(DISTINCT from_frame_id)"
            " FROM api_frame_related JOIN api_frame ON api_frame.id = to_frame_id"
        ).one()
    assert [tuple(row) for row in found] == [(one.basename, one.site, one.object_name) for one in dated]
    reduced = sum(1 for one in dated if one.reduction_level)
    assert tuple(related) == (3 * reduced, reduced)
