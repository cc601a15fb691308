"""Rows as text: a table for people, CSV and JSON for programs. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from rich.cells import cell_len

from shared.cli.terminal import harmless

__all__ = ["Format", "csv_lines", "json_lines", "table_lines", "whole_json"]


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


def table_lines(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield lines of columns that are as wide as they need to be, on whatever terminal."""
    cells = [list(titles), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)).rstrip()


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Yield a line of titles and one for each row; lists are written as JSON, what is missing is empty."""
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line([_csv_cell(row.get(name)) for name in columns])


def json_lines(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Yield each row as a line of JSON."""
    return (json.dumps(row) for row in rows)


def whole_json(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Yield the lines of one JSON list, as the rows come."""
    yield "["
    before = None
    for row in rows:
        if before is not None:
            yield f"{before},"
        before = json.dumps(row)
    if before is not None:
        yield before
    yield "]"


def _cell(value: object) -> str:
    return harmless("" if value is None else str(value))


def _csv_cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _csv_line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
