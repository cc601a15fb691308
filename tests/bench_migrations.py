"""`make bench-migrations`: a full table of PostgreSQL forward and back, and how long others wait meanwhile.

The baseline is the same writers and readers, which know nothing of the newer schema, when nobody migrates.
"""

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from shared.database import make_engine, make_session_factory, write
from shared.index.tallies import wrong_counts
from shared.migrations import downgrade, upgrade
from tests.bench_index.machine import load_average, machine
from tests.bench_index.server import open_databases
from tests.migrations.full import OldVersion
from tests.population.loading import load
from tests.population.stream import Population

__all__ = ["main"]

_IDLE_SECONDS = 20.0
_PAUSE = 0.02
_Waits = dict[str, list[float]]


def main() -> None:
    """Print how long each way took, and what others waited."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        open_databases("postgresql", Path(folder)) as databases,
    ):
        engine, others = (make_engine(databases.url("migrations")) for _ in range(2))
        upgrade(engine)
        load(engine, Population(rows).batches())
        sys.stdout.write(f"{rows:,} frames; {machine(engine)}; load before: {load_average()}\n\n")
        _tell("baseline: idle", others, rows, lambda: time.sleep(_IDLE_SECONDS))
        _tell("back to 0007", others, rows, lambda: downgrade(engine, "0007"))
        _tell("forward", others, rows, lambda: upgrade(engine))
        with write(make_session_factory(engine)) as session:
            sys.stdout.write(f"wrong counts: {wrong_counts(session) or 'none'}; load after: {load_average()}\n")
        for used in (engine, others):
            used.dispose()


def _tell(name: str, others: Engine, rows: int, migrate: Callable[[], None]) -> None:
    with _at_work(others, rows) as waits:
        begin = time.perf_counter()
        migrate()
        seconds = time.perf_counter() - begin
    sys.stdout.write(f"{name}: {seconds:.1f} s\n")
    for kind, took in waits.items():
        p99, worst = statistics.quantiles(took, n=100)[-1], max(took)
        figures = {"median": statistics.median(took), "p99": p99, "worst": worst}
        told = ", ".join(f"{what} {1000 * figure:.1f} ms" for what, figure in figures.items())
        sys.stdout.write(f"  {len(took):>6} of {kind:8} {told}\n")
    sys.stdout.flush()


@contextmanager
def _at_work(engine: Engine, rows: int) -> Iterator[_Waits]:
    """Have a thread of each kind write or read for the length of the block."""
    old, stop, chance = OldVersion(engine, seed=time.monotonic_ns()), threading.Event(), random.Random()
    waits: _Waits = {"insert": [], "update": [], "read": []}

    def run(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))

    work: dict[str, Callable[[], None]] = {
        "insert": lambda: old.insert(f"bench/{chance.random()}.fits", object_name="bench", object_folded="bench"),
        "update": lambda: run(
            f"UPDATE frames SET site = 's{chance.random():.1f}' WHERE id = {chance.randint(1, rows)}"
        ),
        "read": lambda: run("SELECT count(*) FROM frames WHERE night = '2024-01-15'"),
    }

    def go_on(kind: str) -> None:
        while not stop.wait(_PAUSE):
            begin = time.perf_counter()
            work[kind]()
            waits[kind].append(time.perf_counter() - begin)

    threads = [threading.Thread(target=go_on, args=(kind,)) for kind in work]
    for thread in threads:
        thread.start()
    try:
        yield waits
    finally:
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
