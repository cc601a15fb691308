"""Parts of basenames, found by groups of three letters: by FTS5 on SQLite, by an array of them on PostgreSQL.

On SQLite, which is slow where all of many frequent groups must be there, numbers are looked for as such if the part has
one: a basename's runs of digits are indexed with all that is left of them when digits are cut off at their beginning.
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


class _NameParts(FunctionElement[bool]):
    name = "name_has_parts"
    type = Boolean()
    inherit_cache = True
    _is_implicitly_boolean = True
    table = "name_parts"


class _NameNumbers(_NameParts):
    """The same, but SQLite looks for numbers."""

    name = "name_has_numbers"
    inherit_cache = True
    table = "name_numbers"


@compiles(_NameParts)
def _array(element: _NameParts, compiler: SQLCompiler, **options: Any) -> str:
    _, column, part, _ = (compiler.process(clause, **options) for clause in element.clauses)
    return f"name_parts({column}) @> name_parts({part})"


@compiles(_NameParts, "sqlite")
def _match(element: _NameParts, compiler: SQLCompiler, **options: Any) -> str:
    identity, _, _, match = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{identity} IN (SELECT rowid FROM {element.table} WHERE {element.table} MATCH {match})"  # noqa: S608 - ours


def may_have_part(part: str) -> ColumnElement[bool]:
    """Return the condition that a frame's folded basename has what an index tells of ``part``: more frames at most."""
    numbers = _numbers(part)
    groups = dict.fromkeys(part[start : start + SHORTEST] for start in range(len(part) - SHORTEST + 1))
    match = numbers or " AND ".join('"' + group.replace('"', '""') + '"' for group in groups)
    plain, query = (bindparam(None, text, type_=Text(), unique=True) for text in (part, match))
    return (_NameNumbers if numbers else _NameParts)(Frame.id, Frame.basename_folded, plain, query)


def _numbers(part: str) -> str:
    """Return what FTS5 is to look for among numbers; empty if the part has none that helps.

    A run that ends within the part is the end of a run of the name, and stands in the index as it is. One at the end of
    the part may go on.
    """
    runs = list(_RUN.finditer(part))
    most = _LONG if any(len(run[0]) >= _LONG for run in runs) else SHORTEST
    return " AND ".join(f'"{run[0]}"' + ("*" if run.end() == len(part) else "") for run in runs if len(run[0]) >= most)
