"""What a backup is made of: gzipped JSON lines, the same for every database. Pure.

The first line tells what it is, with the schema's version. A line with ``table`` begins a table and names its columns
and their kinds; arrays are its rows. The line before the last holds how far each table's ids were given out. The last
one counts the rows, and has the SHA-256 of all lines before it: a backup without it is not whole.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Date, DateTime, Float, Integer, String, Text
from sqlalchemy.types import TypeEngine

from shared.errors import BackupError

__all__ = ["Digester", "Header", "TableHead", "kind_of", "line_of", "object_of", "type_of"]

_FORMAT = "fitsvault-backup"
_VERSION = 1

_KINDS: Mapping[str, tuple[type[TypeEngine[Any]], TypeEngine[Any]]] = {
    "boolean": (Boolean, Boolean()),
    "moment": (DateTime, DateTime()),
    "date": (Date, Date()),
    "json": (JSON, JSON(none_as_null=True)),
    "integer": (Integer, BigInteger()),
    "number": (Float, Float()),
    "text": (String, Text()),
}
"""Kinds of columns by name: the type that they have in the tables, and the one that writes them."""

_FROM_TEXT: Mapping[str, Callable[[str], object]] = {
    "moment": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
}


@dataclass(frozen=True, slots=True)
class Header:
    """What a backup is of. ``made_at`` is naive UTC, ``bucket`` the science bucket that its frames are in."""

    schema: str
    made_at: dt.datetime
    bucket: str

    def line(self) -> bytes:
        """Return the first line."""
        known = {"format": _FORMAT, "version": _VERSION, "schema": self.schema}
        return line_of({**known, "made_at": self.made_at.isoformat(), "bucket": self.bucket})

    @classmethod
    def parse(cls, line: bytes) -> "Header":
        """Read the first line; BackupError if it is none, or one of a later format."""
        given = object_of(line)
        if not isinstance(given, dict) or given.get("format") != _FORMAT:
            raise BackupError("this is no backup of an archive")
        if given.get("version") != _VERSION:
            raise BackupError(f"the backup has format {given.get('version')}, this version reads {_VERSION}")
        try:
            return cls(str(given["schema"]), dt.datetime.fromisoformat(given["made_at"]), str(given["bucket"]))
        except (KeyError, TypeError, ValueError):
            raise BackupError("the first line of the backup cannot be read") from None


@dataclass(frozen=True, slots=True)
class TableHead:
    """A table's name, its columns and their kinds."""

    name: str
    columns: Sequence[tuple[str, str]]

    def line(self) -> bytes:
        """Return the line that begins the table."""
        return line_of({"table": self.name, "columns": self.columns})

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "TableHead":
        """Read such a line; BackupError if it cannot be read."""
        try:
            columns = [(str(name), str(kind)) for name, kind in given["columns"]]
        except (KeyError, TypeError, ValueError):
            raise BackupError(f"the columns of {given.get('table')} cannot be read") from None
        if unknown := {kind for _, kind in columns} - set(_KINDS):
            raise BackupError(f"{given['table']} has columns of unknown kinds: {', '.join(sorted(unknown))}")
        return cls(str(given["table"]), columns)

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return a row as it is written; BackupError if it is none of this table."""
        if len(values) != len(self.columns):
            raise BackupError(f"a row of {self.name} has {len(values)} values for {len(self.columns)} columns")
        try:
            return {
                name: _FROM_TEXT[kind](value) if value is not None and kind in _FROM_TEXT else value
                for (name, kind), value in zip(self.columns, values, strict=True)
            }
        except (TypeError, ValueError):
            raise BackupError(f"a row of {self.name} cannot be read") from None


class Digester:
    """The SHA-256 of lines, as they go by."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def take(self, line: bytes) -> bytes:
        """Return the line, after it was counted in."""
        self._hash.update(line)
        return line

    def digest(self) -> str:
        """Return the SHA-256 of all lines that were taken."""
        return self._hash.hexdigest()


def kind_of(type_: TypeEngine[Any]) -> str:
    """Return the kind of a column.

    Raises
    ------
    TypeError
        The tables have a type that backups do not know yet.
    """
    for kind, (model, _) in _KINDS.items():
        if isinstance(type_, model):
            return kind
    raise TypeError(f"no backup holds columns of type {type_!r}")


def type_of(kind: str) -> TypeEngine[Any]:
    """Return the type by which a column of that kind is written, whatever the database."""
    return _KINDS[kind][1]


def line_of(value: object) -> bytes:
    """Return a line; times and dates as text."""
    return json.dumps(value, default=_text, separators=(",", ":")).encode() + b"\n"


def object_of(line: bytes) -> Any:
    """Read a line; BackupError if it is broken off or damaged."""
    try:
        return json.loads(line)
    except ValueError:
        raise BackupError("the backup is damaged: a line of it is no JSON") from None


def _text(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"no backup holds {value!r}")
