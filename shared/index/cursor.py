"""Where a walk through a list stands, as text that clients hand back: pure."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import math
import re
from dataclasses import dataclass
from typing import Any

from shared.index.text import is_storable

__all__ = ["START", "Cursor", "Position", "Value", "parse_cursor", "write_cursor"]

Value = str | int | float | dt.datetime | dt.date | None

_MAX_LENGTH = 20_000
_LARGEST = 2**63 - 1
_VERSION = 1
_FLOAT = re.compile(r"-?0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Position:
    """A frame's place in a sorted list: the value of the column, then the id."""

    value: Value
    id: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a walk has come. ``count`` is of all frames when it began; both are None before the first page."""

    position: Position | None = None
    count: int | None = None


START = Cursor()
"""Before the first page."""


def write_cursor(cursor: Cursor, sort: str, *, descending: bool) -> str:
    """Return the text of a cursor that is under way in a list of this order."""
    if cursor.position is None:
        return ""
    kind, value = _plain(cursor.position.value)
    content = json.dumps(
        [_VERSION, sort, descending, kind, value, cursor.position.id, cursor.count], separators=(",", ":")
    ).encode()
    return base64.urlsafe_b64encode(_digest(content) + content).decode().rstrip("=")


def parse_cursor(text: str, sort: str, *, descending: bool) -> Cursor:
    """Return the cursor of a text; an empty one is the start.

    Raises
    ------
    ValueError
        The text is none of ours, or of a list in another order.
    """
    if not text:
        return START
    if len(text) > _MAX_LENGTH or not text.isascii():
        raise ValueError
    raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if not hmac.compare_digest(raw[:8], _digest(raw[8:])):
        raise ValueError
    match _read(raw[8:]):
        case [version, str(found), bool(falls), str(kind), value, int(frame_id), int(count)]:
            if (version, found, falls) != (_VERSION, sort, descending) or not 0 <= frame_id <= _LARGEST:
                raise ValueError
            cursor = Cursor(Position(_value(kind, value), frame_id), max(count, 0))
        case _:
            raise ValueError
    if write_cursor(cursor, sort, descending=descending) != text:
        raise ValueError
    return cursor


def _read(content: bytes) -> object:
    try:
        found: object = json.loads(content)
    except RecursionError as error:
        raise ValueError from error
    return found


def _plain(value: Value) -> tuple[str, Any]:
    if isinstance(value, dt.datetime):
        return "time", value.isoformat()
    if isinstance(value, dt.date):
        return "date", value.isoformat()
    if isinstance(value, float):
        return "float", value.hex()
    return type(value).__name__, value


def _value(kind: str, value: object) -> Value:
    match kind, value:
        case "time", str():
            moment = dt.datetime.fromisoformat(value)
            if moment.tzinfo is None:
                return moment
        case "date", str():
            return dt.date.fromisoformat(value)
        case "float", str():
            number = _float(value)
            if math.isfinite(number):
                return number
        case "str", str() if is_storable(value):
            return value
        case "int", int() if not isinstance(value, bool) and abs(value) <= _LARGEST:
            return value
        case "NoneType", None:
            return None
    raise ValueError


def _float(text: str) -> float:
    try:
        return float.fromhex(text) if _FLOAT.fullmatch(text) else math.nan
    except OverflowError as error:
        raise ValueError from error


def _digest(content: bytes) -> bytes:
    """Return what tells a cursor from a slip of the pen; who forges one gains nothing that a filter would not give."""
    return hashlib.blake2s(content, digest_size=8, person=b"cursor").digest()
