"""Figures as Markdown tables."""

import statistics
from collections.abc import Mapping, Sequence

from tests.bench_index.measuring import Figure, Times
from tests.bench_index.queries import Question

__all__ = ["growth_table", "sort_table", "table"]


def table(figures: Sequence[Figure], predecessor: Mapping[str, Times], questions: Mapping[str, Question]) -> str:
    """Return a row for each question: ours, the predecessor's, and how many times as long that one takes.

    The ratio is of the medians in the database alone. A figure that misses its target is in bold.
    """
    rows = [
        "| query | rows | statements | HTTP median | HTTP p95 | index median | index p95 | predecessor median |"
        " predecessor p95 | ratio |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for figure in figures:
        question, theirs = questions[figure.name], predecessor.get(figure.name)
        cells = [
            figure.name,
            f"{figure.rows:,}",
            str(figure.statements),
            _against(figure.http.median, question.median_target),
            _against(figure.http.p95, question.p95_target),
            _ms(figure.index.median),
            _ms(figure.index.p95),
            *_theirs(figure, theirs),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def growth_table(by_size: Mapping[int, Sequence[Figure]]) -> str:
    """Return ours over HTTP at several sizes (median / p95, and rows in an answer), with the growth of the median.

    Where the answers themselves grow, so does the time.
    """
    sizes = sorted(by_size)
    heads = [f"{size:,}" for size in sizes]
    rows = [f"| query | {' | '.join(heads)} | growth |", f"|---|{'--:|' * (len(sizes) + 1)}"]
    known = {size: {figure.name: figure for figure in by_size[size]} for size in sizes}
    for name in known[sizes[-1]]:
        found = [known[size].get(name) for size in sizes]
        cells = [
            f"{_ms(figure.http.median)} / {_ms(figure.http.p95)} ({figure.rows:,})" if figure else ""
            for figure in found
        ]
        ends = found[0], found[-1]
        growth = f"{ends[1].http.median / ends[0].http.median:.1f}" if ends[0] and ends[1] else ""
        rows.append(f"| {' | '.join([name, *cells, growth])} |")
    return "\n".join(rows) + "\n"


def sort_table(figures: Sequence[Figure], predecessor: Mapping[str, Times], questions: Mapping[str, Question]) -> str:
    """Return the three slowest sorts, and the median of all."""
    slowest = sorted(figures, key=lambda figure: figure.http.median, reverse=True)[:3]
    median = statistics.median(figure.http.median for figure in figures)
    worst = max(figure.http.p95 for figure in figures)
    text = f"{len(figures)} sorts: median {_ms(median)} over HTTP, worst p95 {_ms(worst)}; the slowest three:\n\n"
    return text + table(slowest, predecessor, questions)


def _theirs(figure: Figure, theirs: Times | None) -> tuple[str, str, str]:
    if theirs is None:
        return "", "", ""
    more = ">" if theirs.is_broken_off else ""
    ratio = theirs.median / figure.index.median
    return f"{more}{_ms(theirs.median)}", f"{more}{_ms(theirs.p95)}", f"{more}{ratio:,.{0 if ratio >= 10 else 1}f}"


def _against(seconds: float, target: float) -> str:
    return f"**{_ms(seconds)}**" if 1000.0 * seconds > target else _ms(seconds)


def _ms(seconds: float) -> str:
    value = 1000.0 * seconds
    return f"{value:,.{1 if value < 10 else 0}f}"
