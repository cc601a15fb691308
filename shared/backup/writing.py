"""A backup, written from one snapshot of the database while others read and write."""

import gzip
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from sqlalchemy import Table, literal, select
from sqlalchemy.orm import Session, sessionmaker

from shared.backup.format import Digester, Header, TableHead, kind_of, line_of
from shared.backup.tables import COUNTED, kept_tables, sequences
from shared.database import read

__all__ = ["write_backup"]

_ROWS_AT_ONCE = 1000


def write_backup(sessions: sessionmaker[Session], file: BinaryIO, header: Header) -> Mapping[str, int]:
    """Write all that the database alone knows to a file, a thousand rows in memory at a time; return rows by table."""
    rows: dict[str, int] = {}
    digester = Digester()
    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed, read(sessions) as session:
        for line in _lines(session, header, rows):
            packed.write(digester.take(line))
        packed.write(line_of({"rows": rows, "sha256": digester.digest()}))
    return rows


def _lines(session: Session, header: Header, rows: dict[str, int]) -> Iterator[bytes]:
    yield header.line()
    for table in kept_tables():
        yield TableHead(table.name, [(column.name, kind_of(column.type)) for column in table.columns]).line()
        rows[table.name] = 0
        for line in _rows(session, table):
            rows[table.name] += 1
            yield line
    yield line_of({"sequences": sequences(session)})


def _rows(session: Session, table: Table) -> Iterator[bytes]:
    counts = ("dated", "undated") if table.name in COUNTED else ()
    columns = [literal(0).label(column.name) if column.name in counts else column for column in table.columns]
    statement = select(*columns).order_by(*table.primary_key)
    for row in session.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE}):
        yield line_of(list(row))
