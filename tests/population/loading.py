"""From a population to the tables of the index, as fast as the database takes it.

What `shared.index.rows` does to one record is done here to columns; a test holds the two together. Whatever the
schema has beyond that (indexes, triggers) is put aside while rows come in, and made anew behind them.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from sqlalchemy import Engine, text

from shared.database import make_session_factory
from shared.database import write as write_session
from shared.index.combinations import COMBINED, MOST_SHAPES, signature
from shared.index.cone import zone
from shared.index.models import Combination, Frame, FrameLink, NameShape, ObjectName
from shared.index.shapes import name_shape
from shared.index.sky import sky_cell
from shared.index.tallies import rebuild
from shared.index.text import fold
from tests.population.batch import LINK_KEYWORDS, Batch
from tests.population.bulk import Rows, Writer, bulk_tables

__all__ = ["IndexTables", "Sink", "index_rows", "link_rows", "load"]


class Sink(Protocol):
    """Where a population goes."""

    def write(self, batch: Batch) -> None:
        """Take a batch."""


class IndexTables:
    """The tables of the index as a sink; they must be empty."""

    def __init__(self, write: Writer) -> None:
        self._write = write
        self._combinations: dict[tuple[Any, ...], int] = {}
        self._objects: dict[str, int] = {}
        self._shapes: dict[str, int] = {}

    def write(self, batch: Batch) -> None:
        """Insert frames and links."""
        rows = dict(index_rows(batch))
        combined = zip(*(rows[name] for name in COMBINED), strict=True)
        rows["combination_id"] = [self._combinations.setdefault(row, len(self._combinations) + 1) for row in combined]
        rows["object_id"] = [
            None if name is None else self._objects.setdefault(name, len(self._objects) + 1)
            for name in rows["object_name"]
        ]
        rows["shape_id"] = [self._shape(name) for name in rows["basename_folded"]]
        self._write(Frame.__tablename__, rows)
        self._write(FrameLink.__tablename__, link_rows(batch))

    def end(self) -> None:
        """Insert the combinations, names of objects and shapes of basenames that the frames have."""
        rows = [dict(zip(COMBINED, values, strict=True)) for values in self._combinations]
        combinations: dict[str, Sequence[Any]] = {name: [row[name] for row in rows] for name in COMBINED}
        combinations |= {"id": list(self._combinations.values()), "signature": [signature(row) for row in rows]}
        self._write(Combination.__tablename__, combinations | _nothing(len(rows)))
        objects: dict[str, Sequence[Any]] = {"id": list(self._objects.values()), "name": list(self._objects)}
        objects["folded"] = [fold(name) for name in self._objects]
        self._write(ObjectName.__tablename__, objects | _nothing(len(self._objects)))
        shapes: dict[str, Sequence[Any]] = {"id": list(self._shapes.values()), "shape": list(self._shapes)}
        self._write(NameShape.__tablename__, shapes | _nothing(len(self._shapes)))

    def _shape(self, folded: str) -> int | None:
        shape = name_shape(folded)
        if shape is None or (shape not in self._shapes and len(self._shapes) >= MOST_SHAPES):
            return None
        return self._shapes.setdefault(shape, len(self._shapes) + 1)


def load(engine: Engine, batches: Iterable[Batch], *others: Sink) -> int:
    """Fill the tables of the index, and further sinks with the same frames; return the number of frames.

    The next batch is made while the sinks take the last one.
    """
    frames = 0
    tables = [model.__tablename__ for model in (Frame, FrameLink, Combination, ObjectName, NameShape)]
    with bulk_tables(engine, tables) as write, ThreadPoolExecutor() as threads:
        index = IndexTables(write)
        sinks = (index, *others)
        under_way: list[Future[None]] = []
        for batch in batches:
            for future in under_way:
                future.result()
            under_way = [threads.submit(sink.write, batch) for sink in sinks]
            frames += len(batch)
        for future in under_way:
            future.result()
        index.end()
    _count(engine)
    return frames


def _nothing(length: int) -> dict[str, Sequence[Any]]:
    return {"dated": [0] * length, "undated": [0] * length}


def _count(engine: Engine) -> None:
    """Do what triggers would have done."""
    with write_session(make_session_factory(engine)) as session:
        rebuild(session)
        if engine.dialect.name == "sqlite":
            session.execute(text("INSERT INTO name_parts (name_parts) VALUES ('delete-all')"))
            session.execute(text("INSERT INTO name_parts (rowid, basename) SELECT id, basename_folded FROM frames"))
            session.execute(text("INSERT INTO name_numbers (name_numbers) VALUES ('delete-all')"))
            session.execute(text("INSERT INTO name_numbers (rowid, numbers) SELECT id, numbers FROM frame_numbers"))


def index_rows(batch: Batch) -> Rows:
    """Return the rows of the table of frames, by columns; lists are JSON texts."""
    columns: dict[str, Sequence[Any]] = dict(batch.columns)
    moments = [moment + dt.timedelta(seconds=3) for moment in columns["last_modified"]]
    columns |= {
        "id": range(batch.first_id, batch.first_id + len(batch)),
        "ingested_at": moments,
        "updated_at": moments,
        "basename_folded": [fold(name) for name in columns["basename"]],
        "object_folded": [_folded(name) for name in columns["object_name"]],
        "binning": [f"{x or 1}x{y or 1}" for x, y in zip(columns["x_binning"], columns["y_binning"], strict=True)],
        "hdu_kinds": [_as_json(kinds) for kinds in columns["hdu_kinds"]],
        "notes": [_as_json(notes) for notes in columns["notes"]],
        "footprint": [
            None if corners is None else str(corners).translate(_BRACKETS) for corners in columns["footprint"]
        ],
    }
    columns["sky_cell"] = [
        None if ra is None or dec is None else sky_cell(ra, dec)
        for ra, dec in zip(columns["ra"], columns["dec"], strict=True)
    ]
    return columns | _vectors(columns["ra"], columns["dec"])


def link_rows(batch: Batch) -> Rows:
    """Return the rows of the table of links, by columns."""
    ids = [batch.first_id + index for index in batch.linking]
    return {
        "frame_id": [frame_id for frame_id in ids for _ in LINK_KEYWORDS],
        "keyword": list(LINK_KEYWORDS) * len(ids),
        "target": [target for targets in batch.targets for target in targets],
    }


_BRACKETS = str.maketrans("()", "[]")


@lru_cache(maxsize=10_000)
def _folded(name: str | None) -> str | None:
    return None if name is None else fold(name)


@lru_cache(maxsize=1000)
def _as_json(texts: tuple[str, ...]) -> str:
    return json.dumps(texts)


def _vectors(ra: Sequence[float | None], dec: Sequence[float | None]) -> dict[str, Sequence[Any]]:
    """Return zones and unit vectors, as `shared.index.cone.unit_vector` gives them but for the last bit."""
    there = [angle is not None for angle in ra]
    alpha = np.radians(np.array([np.nan if angle is None else angle for angle in ra]))
    delta = np.radians(np.array([np.nan if angle is None else angle for angle in dec]))
    vector = (np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta))
    columns: dict[str, Sequence[Any]] = {"dec_zone": [None if angle is None else zone(angle) for angle in dec]}
    for axis, part in zip("xyz", vector, strict=True):
        columns[f"vector_{axis}"] = [
            value if known else None for value, known in zip(part.tolist(), there, strict=True)
        ]
    return columns
