"""Conditions with many numbers in one parameter: whether a column is one of them, or lies in one of their ranges."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Dialect, SQLColumnExpression, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Boolean, TypeDecorator, TypeEngine

__all__ = ["among"]


class _Integers(TypeDecorator[Sequence[int]]):
    """A list of integers as one parameter: an array for PostgreSQL, which plans with it; JSON text for SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        array: TypeEngine[Any] = ARRAY(BigInteger()) if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(array)

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> str | list[int]:
        numbers = list(value or ())
        return numbers if dialect.name == "postgresql" else f"[{','.join(map(str, numbers))}]"


class _Among(FunctionElement[bool]):
    name = "among"
    type = Boolean()
    _is_implicitly_boolean = True
    inherit_cache = True


class _Tested(_Among):
    """The same, but SQLite is not to look for the numbers by an index."""

    name = "tested"
    inherit_cache = True


@compiles(_Among)
def _any(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, numbers = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY({numbers})"


@compiles(_Among, "sqlite")
def _json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, numbers = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({numbers}))"  # noqa: S608 - a parameter


@compiles(_Tested, "sqlite")
def _plain_json(element: _Tested, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{_json(element, compiler, **options)}"


def among(column: SQLColumnExpression[Any], numbers: Iterable[int], *, by_index: bool = True) -> ColumnElement[bool]:
    """Return the condition that a column is one of some integers.

    Without ``by_index`` rows that are met in another order are only to be tested for it; PostgreSQL knows by itself.
    """
    kind = _Among if by_index else _Tested
    return kind(column, bindparam(None, tuple(numbers), type_=_Integers(), unique=True))
