"""Keyset pages through a table in the byte order of its keys."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Row, Select
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker

from shared.index.text import prefix_end

__all__ = ["begins_with", "walk_keys"]


def begins_with(column: InstrumentedAttribute[str], prefix: str) -> list[ColumnElement[bool]]:
    """Return conditions for text that begins with `prefix`, as a range, for which an index serves."""
    if not prefix:
        return []
    end = prefix_end(prefix)
    return [column >= prefix] if end is None else [column >= prefix, column < end]


def walk_keys(
    source: Session | sessionmaker[Session],
    statement: Select[*tuple[Any, ...]],
    key: InstrumentedAttribute[str],
    prefix: str,
    after: str,
    batch: int,
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield the rows of `statement` with keys that begin with `prefix` and lie beyond `after`, by key.

    The rows have an attribute ``key``. Each batch is one statement, so that memory is bounded by the batch.
    """
    statement = statement.where(*begins_with(key, prefix)).order_by(key).limit(batch)
    while True:
        rows = _fetch(source, statement.where(key > after) if after else statement)
        yield from rows
        if len(rows) < batch:
            return
        after = rows[-1].key


def _fetch(source: Session | sessionmaker[Session], statement: Select[*tuple[Any, ...]]) -> list[Row[*tuple[Any, ...]]]:
    if isinstance(source, Session):
        return list(source.execute(statement).all())
    with source() as session:
        return list(session.execute(statement).all())
