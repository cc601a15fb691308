"""Parts of basenames, found by groups of three letters: by FTS5 on SQLite, by an array of them on PostgreSQL."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, Text

from shared.index.models import Frame

__all__ = ["SHORTEST", "may_have_part"]

SHORTEST = 3
"""Letters of the shortest part that the index can look for."""


class _NameParts(FunctionElement[bool]):
    name = "name_has_parts"
    type = Boolean()
    inherit_cache = True
    _is_implicitly_boolean = True


@compiles(_NameParts)
def _array(element: _NameParts, compiler: SQLCompiler, **options: Any) -> str:
    _, column, part, _ = (compiler.process(clause, **options) for clause in element.clauses)
    return f"name_parts({column}) @> name_parts({part})"


@compiles(_NameParts, "sqlite")
def _match(element: _NameParts, compiler: SQLCompiler, **options: Any) -> str:
    identity, _, _, match = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{identity} IN (SELECT rowid FROM name_parts WHERE name_parts MATCH {match})"  # noqa: S608 - a parameter


def may_have_part(part: str) -> ColumnElement[bool]:
    """Return the condition that a frame's folded basename has all groups of three letters that ``part`` has."""
    groups = dict.fromkeys(part[start : start + SHORTEST] for start in range(len(part) - SHORTEST + 1))
    match = " AND ".join('"' + group.replace('"', '""') + '"' for group in groups)
    plain, query = (bindparam(None, text, type_=Text(), unique=True) for text in (part, match))
    return _NameParts(Frame.id, Frame.basename_folded, plain, query)
