"""Rows into tables by the shortest way: COPY on PostgreSQL, one long transaction without a journal on SQLite."""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine

__all__ = ["Rows", "Writer", "bulk_tables"]

Rows = Mapping[str, Sequence[Any]]
"""Rows by columns, all of one length; lists and objects as JSON texts."""

Writer = Callable[[str, Rows], None]
"""Inserts rows into the table of that name."""

_NULL = "\\N"
_INDEXES = """
SELECT indexrelid::regclass::text, indrelid::regclass::text, pg_get_indexdef(indexrelid), conname,
    pg_get_constraintdef(pg_constraint.oid)
FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid AND contype = 'u'
WHERE indrelid = ANY(%s::regclass[]) AND NOT indisprimary ORDER BY 2, 1
"""


@contextmanager
def bulk_tables(engine: Engine, tables: Sequence[str]) -> Iterator[Writer]:
    """Give a function that inserts rows into one of the tables, which are emptied first.

    Their indexes are made at the end of the block, when the rows are in, and their triggers do not fire. It is one
    transaction; nothing but the tables' own foreign keys may depend on them.
    """
    pooled = engine.raw_connection()
    connection = pooled.driver_connection
    try:
        if isinstance(connection, sqlite3.Connection):
            with _sqlite(connection, tables) as write:
                yield write
        else:
            assert isinstance(connection, psycopg.Connection)
            with connection.transaction(), _postgres(_Statements(connection), tables) as write:
                yield write
    finally:
        pooled.invalidate()


class _Statements:
    """Runs statements that are made of names we know."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    def copy(self, statement: str, lines: str) -> None:
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.write(lines)


@contextmanager
def _postgres(sql: _Statements, tables: Sequence[str]) -> Iterator[Writer]:
    """Write without a log where wal_level is minimal, since the tables are truncated in the same transaction."""

    def write(table: str, rows: Rows) -> None:
        names = ", ".join(f'"{name}"' for name in rows)
        lines = map("\t".join, zip(*map(_texts, rows.values()), strict=True))
        sql.copy(f"COPY {table} ({names}) FROM STDIN", "".join(f"{line}\n" for line in lines))

    sql.run("SET LOCAL TIME ZONE 'UTC'")
    sql.run("SET LOCAL session_replication_role = replica")
    sql.run(f"TRUNCATE {', '.join(tables)}")
    indexes = sql.run(_INDEXES, list(tables))
    for index, table, _, constraint, _ in indexes:
        sql.run(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" if constraint else f"DROP INDEX {index}")
    yield write
    for _, table, made, constraint, columns in indexes:
        sql.run(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {columns}" if constraint else made)
    for table in tables:
        if sql.run(f"SELECT * FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attname = 'id'"):
            largest = f"coalesce((SELECT max(id) FROM {table}), 1)"
            sql.run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {largest})")


def _texts(column: Sequence[Any]) -> list[str]:
    """Return values as COPY takes them; none of ours has a backslash, a tab or a new line in it."""
    return [_NULL if value is None else str(value) for value in column]


@contextmanager
def _sqlite(connection: sqlite3.Connection, tables: Sequence[str]) -> Iterator[Writer]:
    def write(table: str, rows: Rows) -> None:
        names = ", ".join(f'"{name}"' for name in rows)
        values = zip(*map(_storable, rows.values()), strict=True)
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(rows))})", values)

    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN IMMEDIATE")
    aside = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        f" AND tbl_name IN ({', '.join('?' * len(tables))}) ORDER BY type",
        tuple(tables),
    ).fetchall()
    for kind, name, _ in aside:
        connection.execute(f'DROP {kind} "{name}"')
    for table in tables:
        connection.execute(f"DELETE FROM {table}")
    yield write
    for _, _, made in aside:
        connection.execute(made)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")


def _storable(column: Sequence[Any]) -> Sequence[Any]:
    """Return values as SQLAlchemy stores them in SQLite: times as texts with six digits."""
    sample = next((value for value in column if value is not None), None)
    if isinstance(sample, dt.datetime):
        return [None if value is None else value.isoformat(" ", "microseconds") for value in column]
    if isinstance(sample, dt.date):
        return [None if value is None else value.isoformat() for value in column]
    return column
