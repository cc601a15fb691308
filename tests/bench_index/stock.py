"""Databases with a population in them, filled once and found again."""

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import Engine, inspect, text

from shared.database import make_engine
from shared.migrations import upgrade
from tests.bench_index.predecessor import PREDECESSOR_TABLES, PredecessorTables, make_tables
from tests.bench_index.server import Databases
from tests.population.bulk import bulk_tables
from tests.population.loading import load
from tests.population.stream import VERSION, Population

__all__ = ["Stock", "prepare"]

_MARK = "bench_population"


@dataclass(frozen=True, slots=True)
class Stock:
    """One population in our tables and, as baseline, in the predecessor's: two databases of one server."""

    population: Population
    url: str
    ours: Engine
    theirs: Engine
    has_baseline: bool

    @property
    def filled(self) -> tuple[Engine, ...]:
        """The databases with something in them."""
        return (self.ours, self.theirs) if self.has_baseline else (self.ours,)

    def close(self) -> None:
        """Let go of connections."""
        self.ours.dispose()
        self.theirs.dispose()


def prepare(databases: Databases, population: Population, *, has_baseline: bool = True) -> Stock:
    """Return the population's databases; they are filled where they are not there, or hold another one.

    One that is there is brought to the latest schema.
    """
    names = f"fitsvault_{population.frames}", f"predecessor_{population.frames}"
    mark = f"{population.frames} {population.seed} {VERSION}"
    stock = _open(databases, population, *names, has_baseline=has_baseline)
    if all(_mark_of(engine) == mark for engine in stock.filled):
        begin = time.perf_counter()
        upgrade(stock.ours)
        _tell(f"{population.frames:,} frames are there; schema up to date after {time.perf_counter() - begin:.1f} s")
        return stock
    stock.close()
    for name in names:
        databases.drop(name)
    stock = _open(databases, population, *names, has_baseline=has_baseline)
    _fill(stock)
    for engine in stock.filled:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE {_MARK} (mark varchar(100) NOT NULL)")
            connection.execute(text(f"INSERT INTO {_MARK} VALUES (:mark)"), {"mark": mark})
    return stock


def _open(databases: Databases, population: Population, ours: str, theirs: str, *, has_baseline: bool) -> Stock:
    url = databases.url(ours)
    return Stock(population, url, make_engine(url), make_engine(databases.url(theirs)), has_baseline)


def _mark_of(engine: Engine) -> str | None:
    if not inspect(engine).has_table(_MARK):
        return None
    with engine.connect() as connection:
        mark: str | None = connection.scalar(text(f"SELECT mark FROM {_MARK}"))
    return mark


def _fill(stock: Stock) -> None:
    begin = time.perf_counter()
    upgrade(stock.ours)
    with ExitStack() as baseline:
        others = []
        if stock.has_baseline:
            make_tables(stock.theirs)
            others.append(PredecessorTables(baseline.enter_context(bulk_tables(stock.theirs, PREDECESSOR_TABLES))))
        frames = load(stock.ours, stock.population.batches(), *others)
        loaded = time.perf_counter() - begin
        _tell(f"{frames:,} frames in our tables after {loaded:.0f} s, indexes and all")
    if stock.has_baseline:
        _tell(f"predecessor's tables ready after {time.perf_counter() - begin:.0f} s")
    for engine in stock.filled:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE")
    _tell(f"analyzed after {time.perf_counter() - begin:.0f} s")


def _tell(news: str) -> None:
    print(news, file=sys.stderr, flush=True)
