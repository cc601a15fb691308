"""A backup, brought back into an empty database: all of it, or nothing."""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy import Table, column, delete, insert, select, table, text
from sqlalchemy.orm import Session, sessionmaker

from shared.backup.format import Digester, Header, TableHead, object_of, type_of
from shared.backup.tables import all_tables, continue_sequence, kept_tables
from shared.database import write
from shared.errors import BackupError
from shared.index.tallies import gather, has_many_changes

__all__ = ["filled_tables", "read_header", "restore_backup"]

_ROWS_AT_ONCE = 500


def read_header(file: BinaryIO) -> Header:
    """Return what a backup says of itself, and go back to its beginning; BackupError if it is none."""
    with _unpacked(file) as lines:
        header = Header.parse(next(lines, b""))
    file.seek(0)
    return header


def filled_tables(session: Session) -> Sequence[str]:
    """Return the tables that a backup would be restored to and that have rows."""
    return [one.name for one in kept_tables() if session.execute(select(one).limit(1)).first() is not None]


def restore_backup(
    sessions: sessionmaker[Session], file: BinaryIO, *, force: bool = False, gap: int = 0
) -> Mapping[str, int]:
    """Restore a backup in one transaction; return rows by table. The database must have the schema of the backup.

    Parameters
    ----------
    force
        Replace what the database holds.
    gap
        Ids of frames to leave out behind the last one: frames that came after the backup had them.

    Raises
    ------
    BackupError
        The database is not empty, or the backup is damaged or not whole. Nothing has changed.
    """
    with write(sessions) as session, _unpacked(file) as lines:
        _keep_others_out(session)
        if force:
            _empty(session)
        elif filled := filled_tables(session):
            raise BackupError(f"the database is not empty, it has rows in {', '.join(filled)}")
        restored = _Restored(session)
        restored.take_all(lines)
        for one in kept_tables():
            last = restored.sequences.get(one.name, 0)
            continue_sequence(session, one, last + gap if one.name == "frames" else last)
        while gather(session):
            pass
    return restored.rows


@dataclass(slots=True)
class _Restored:
    """What has been restored up to now."""

    session: Session
    rows: dict[str, int] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    _head: TableHead | None = None
    _waiting: list[dict[str, Any]] = field(default_factory=list)

    def take_all(self, lines: Iterator[bytes]) -> None:
        digester = Digester()
        Header.parse(digester.take(next(lines, b"")))
        for line in lines:
            given = object_of(line)
            if isinstance(given, dict) and "sha256" in given:
                self._write()
                self._check(given, digester.digest())
                if next(lines, None) is not None:
                    raise BackupError("the backup is damaged: something follows its end")
                return
            digester.take(line)
            self._take(given)
        raise BackupError("the backup is not whole: its end is missing")

    def _take(self, given: Any) -> None:
        if isinstance(given, list) and self._head is not None:
            self._waiting.append(self._head.row(given))
            if len(self._waiting) == _ROWS_AT_ONCE:
                self._write()
        elif isinstance(given, dict) and "table" in given:
            self._write()
            self._head = TableHead.of(given)
            self.rows[self._head.name] = 0
        elif isinstance(given, dict) and "sequences" in given:
            self.sequences = {str(name): int(number) for name, number in given["sequences"].items()}
        else:
            raise BackupError("the backup is damaged: a line of it is of no known form")

    def _write(self) -> None:
        if self._head is None or not self._waiting:
            return
        columns = [column(name, type_of(kind)) for name, kind in self._head.columns]
        self.session.connection().execute(insert(table(self._head.name, *columns)), self._waiting)
        self.rows[self._head.name] += len(self._waiting)
        self._waiting.clear()
        if self._head.name == "frames" and has_many_changes(self.session):
            gather(self.session)

    def _check(self, end: Mapping[str, Any], digest: str) -> None:
        if end["sha256"] != digest or end.get("rows") != self.rows:
            raise BackupError("the backup is damaged: its checksum is another")


@contextmanager
def _unpacked(file: BinaryIO) -> Iterator[Iterator[bytes]]:
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as packed:
            yield iter(packed)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BackupError(f"the backup is damaged or not whole: {error}") from None


def _keep_others_out(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        names = ", ".join(one.name for one in all_tables())
        session.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))


def _empty(session: Session) -> None:
    tables: Sequence[Table] = all_tables()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"TRUNCATE {', '.join(one.name for one in tables)}"))
        return
    for one in reversed(tables):
        session.execute(delete(one))
