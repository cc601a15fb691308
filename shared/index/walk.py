"""Keyset pages through a table in the byte order of its keys."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, Select
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker

from shared.index.text import prefix_end

__all__ = ["walk_keys"]


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
    if prefix:
        statement = statement.where(key >= prefix)
        end = prefix_end(prefix)
        if end is not None:
            statement = statement.where(key < end)
    statement = statement.order_by(key).limit(batch)
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
