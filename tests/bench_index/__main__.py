"""`python -m tests.bench_index`: load, ask, and print tables."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench_index.explaining import explain
from tests.bench_index.machine import load_average, machine
from tests.bench_index.measuring import Figure, Times, measure, measure_predecessor
from tests.bench_index.queries import Question, find_facts, questions, sort_questions
from tests.bench_index.report import growth_table, sort_table, table
from tests.bench_index.server import Databases, open_databases
from tests.bench_index.service import running_api
from tests.bench_index.stock import Stock, prepare
from tests.population.stream import Population

__all__ = ["main"]

_FOLDER = Path(tempfile.gettempdir()) / "fitsvault-bench"
_SORT_REPETITIONS = 5
_PREDECESSOR_REPETITIONS = 5


def main() -> None:
    """Measure every size; the predecessor at the largest alone."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    options = _options()
    sizes = sorted({*options.sizes, options.rows})
    with open_databases(options.database, options.data_folder) as databases:
        if databases.settings:
            print("PostgreSQL of our own with", ", ".join(f"{k} = {v}" for k, v in databases.settings.items()), "\n")
        by_size: dict[int, Sequence[Figure]] = {}
        for size in sizes:
            has_baseline = size == sizes[-1] and not options.no_baseline
            stock = prepare(databases, Population(size), has_baseline=has_baseline)
            if options.explain:
                _explain(stock, options.explain)
            elif not options.only_load:
                by_size[size] = _measure(stock, options)
            stock.close()
            if not options.keep:
                _drop(databases, size)
        if len(by_size) > 1:
            print(f"\n## Ours over HTTP by size: ms, median / p95 (rows)\n\n{growth_table(by_size)}")


def _measure(stock: Stock, options: argparse.Namespace) -> list[Figure]:
    asked = [
        question for question in questions(find_facts(stock.ours, stock.population)) if options.only in question.name
    ]
    sorts = [question for question in sort_questions() if options.only in question.name]
    print(
        f"## {stock.population.frames:,} frames\n\n{machine(stock.ours)}; load before: {load_average()}\n", flush=True
    )
    with running_api(stock.ours, stock.url) as client:
        figures = [_tell(measure(stock, client, question, options.repetitions)) for question in asked]
        sorted_figures = [_tell(measure(stock, client, question, _SORT_REPETITIONS)) for question in sorts]
    slowest = sorted(sorted_figures, key=lambda figure: figure.http.median, reverse=True)[:3]
    known = {question.name: question for question in (*asked, *sorts)}
    theirs: dict[str, Times] = {}
    if stock.has_baseline:
        for figure in (figure for figure in (*figures, *slowest) if known[figure.name].has_baseline):
            theirs[figure.name] = measure_predecessor(stock, known[figure.name], _PREDECESSOR_REPETITIONS)
            print(f"  predecessor, {figure.name}: {theirs[figure.name].median:.3f} s", file=sys.stderr, flush=True)
    print(f"ms; {options.repetitions} repetitions; load after: {load_average()}\n\n{table(figures, theirs, known)}")
    if sorted_figures:
        print(sort_table(sorted_figures, theirs, known), flush=True)
    return [*figures, *sorted_figures]


def _tell(figure: Figure) -> Figure:
    print(f"  {figure.name}: {figure.http.median:.3f} s", file=sys.stderr, flush=True)
    return figure


def _explain(stock: Stock, name: str) -> None:
    known: Sequence[Question] = (*questions(find_facts(stock.ours, stock.population)), *sort_questions())
    for question in known:
        if name in question.name:
            print("\n".join(explain(stock, question)), flush=True)


def _drop(databases: Databases, size: int) -> None:
    for owner in ("fitsvault", "predecessor"):
        databases.drop(f"{owner}_{size}")


def _sizes(text: str) -> list[int]:
    return [int(size.replace("_", "")) for size in text.split(",") if size]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_index", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="frames (1,000,000)")
    parser.add_argument("--sizes", type=_sizes, default=[], help="further sizes to show side by side: 100000,1000000")
    parser.add_argument(
        "--database", default="postgresql", help="postgresql, sqlite, or the URL of a PostgreSQL server"
    )
    parser.add_argument("--data-folder", type=Path, default=_FOLDER, help="where the data lie")
    parser.add_argument("--keep", action="store_true", help="leave the databases for the next run")
    parser.add_argument("--repetitions", type=int, default=30, help="requests of each kind that count (30)")
    parser.add_argument("--only", default="", help="questions with this in their names")
    parser.add_argument("--explain", default="", help="print the plans of questions with this in their names instead")
    parser.add_argument("--only-load", action="store_true", help="load and stop")
    parser.add_argument("--no-baseline", action="store_true", help="neither fill nor ask the predecessor's tables")
    return parser.parse_args()


if __name__ == "__main__":
    main()
