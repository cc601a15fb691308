"""`make bench`: rows into an index that is made anew from what is known, many at a time and one by one.

No object is read. The baseline is a transaction for each frame, as ingest writes it. Counts are gathered in both.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory, write
from shared.index.bulk import put_frames
from shared.index.frames import put_frame
from shared.index.record import FrameRecord
from shared.index.tallies import gather
from shared.migrations import upgrade
from tests.bench_index.machine import load_average, machine
from tests.bench_index.server import Databases, open_databases
from tests.population.batch import records
from tests.population.stream import Population

__all__ = ["main"]

_FRAMES = 10_000
_AT_ONCE = 1000
_ONE_BY_ONE = 500
_Sessions = sessionmaker[Session]


def main() -> None:
    """Print a table for each database."""
    stock = [record for batch in Population(_FRAMES).batches() for record in records(batch)]
    for kind in ("sqlite", "postgresql"):
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
            open_databases(kind, Path(folder)) as databases,
        ):
            sys.stdout.write(_table(databases, stock))


def _table(databases: Databases, stock: Sequence[FrameRecord]) -> str:
    rows = []
    engine = make_engine(databases.url("bulk"))
    upgrade(engine)
    sessions = make_session_factory(engine)
    told = f"\nRows into the index, {len(stock)} frames; {machine(engine)}; load before: {load_average()}\n\n"
    rows.append(("put_frames, new", _rate(sessions, stock, _many)))
    rows.append(("put_frames, again", _rate(sessions, stock, _many)))
    engine.dispose()
    engine = make_engine(databases.url("one_by_one"))
    upgrade(engine)
    rows.append(("baseline: put_frame, new", _rate(make_session_factory(engine), stock[:_ONE_BY_ONE], _one_by_one)))
    engine.dispose()
    baseline = rows[-1][1]
    return told + "".join(f"{name:30}{rate:>10.0f} frames/s{rate / baseline:>8.1f} x\n" for name, rate in rows)


def _rate(
    sessions: _Sessions, stock: Sequence[FrameRecord], put: Callable[[_Sessions, Sequence[FrameRecord]], None]
) -> float:
    """Return frames per second."""
    begin = time.perf_counter()
    put(sessions, stock)
    gathered = True
    while gathered:
        with write(sessions) as session:
            gathered = gather(session) > 0
    return len(stock) / (time.perf_counter() - begin)


def _many(sessions: _Sessions, stock: Sequence[FrameRecord]) -> None:
    for some in _cut(stock):
        with write(sessions) as session:
            put_frames(session, some)


def _cut(stock: Sequence[FrameRecord]) -> Iterator[Sequence[FrameRecord]]:
    return (stock[start : start + _AT_ONCE] for start in range(0, len(stock), _AT_ONCE))


def _one_by_one(sessions: _Sessions, stock: Sequence[FrameRecord]) -> None:
    for record in stock:
        with write(sessions) as session:
            put_frame(session, record)


if __name__ == "__main__":
    main()
