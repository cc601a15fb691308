"""Parts of basenames, found by groups of three letters: by FTS5 on SQLite, by an array of them on PostgreSQL.

To find what has all of many frequent groups is slow, so numbers are looked for as such if the part has one: a
basename's runs of digits are indexed with all that is left of them when digits are cut off at their beginning.
"""

import re
from typing import Any

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, Text

from shared.index.models import Frame

__all__ = ["SHORTEST", "may_have_part"]

SHORTEST = 3
"""Letters of the shortest part that the index can look for, and digits of the shortest number."""

_LONG = 5
_RUN = re.compile(f"[0-9]{{{SHORTEST},}}")


class _InIndex(FunctionElement[bool]):
    """The id, the column, and what is looked for: as PostgreSQL puts it, and as FTS5 does."""

    type = Boolean()
    inherit_cache = True
    _is_implicitly_boolean = True
    table: str


class _NameParts(_InIndex):
    name = table = "name_parts"
    inherit_cache = True


class _NameNumbers(_InIndex):
    name = table = "name_numbers"
    inherit_cache = True


@compiles(_NameParts)
def _array(element: _NameParts, compiler: SQLCompiler, **options: Any) -> str:
    _, column, part, _ = (compiler.process(clause, **options) for clause in element.clauses)
    return f"name_parts({column}) @> name_parts({part})"


@compiles(_NameNumbers)
def _lexemes(element: _NameNumbers, compiler: SQLCompiler, **options: Any) -> str:
    _, column, query, _ = (compiler.process(clause, **options) for clause in element.clauses)
    return f"name_numbers({column}) @@ CAST({query} AS tsquery)"


@compiles(_NameParts, "sqlite")
@compiles(_NameNumbers, "sqlite")
def _match(element: _InIndex, compiler: SQLCompiler, **options: Any) -> str:
    identity, _, _, match = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{identity} IN (SELECT rowid FROM {element.table} WHERE {element.table} MATCH {match})"  # noqa: S608 - ours


def may_have_part(part: str) -> ColumnElement[bool]:
    """Return the condition that a frame's folded basename has what an index tells of ``part``: more frames at most."""
    numbers = _numbers(part)
    if numbers:
        lexemes = " & ".join(f"'{digits}'{':*' if goes_on else ''}" for digits, goes_on in numbers)
        match = " AND ".join(f'"{digits}"{"*" if goes_on else ""}' for digits, goes_on in numbers)
        return _condition(_NameNumbers, lexemes, match)
    groups = dict.fromkeys(part[start : start + SHORTEST] for start in range(len(part) - SHORTEST + 1))
    return _condition(_NameParts, part, " AND ".join('"' + group.replace('"', '""') + '"' for group in groups))


def _condition(kind: type[_InIndex], *queries: str) -> ColumnElement[bool]:
    parameters = (bindparam(None, query, type_=Text(), unique=True) for query in queries)
    return kind(Frame.id, Frame.basename_folded, *parameters)


def _numbers(part: str) -> list[tuple[str, bool]]:
    """Return the runs of digits that help to find a part, and whether they may go on in a basename.

    A run that ends within the part is the end of a run of the name, and stands in the index as it is. Short ones are
    left out beside long ones, since too many frames have them.
    """
    runs = list(_RUN.finditer(part))
    least = _LONG if any(len(run[0]) >= _LONG for run in runs) else SHORTEST
    return [(run[0], run.end() == len(part)) for run in runs if len(run[0]) >= least]
