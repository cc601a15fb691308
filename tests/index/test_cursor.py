"""Cursors are read back as they were written, and nothing else is."""

import base64
import datetime as dt
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.index import cursor as module
from shared.index.cursor import START, Cursor, Position, parse_cursor, write_cursor

VALUES = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(),
    st.dates(),
)


def forged(content: object) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(module._digest(raw) + raw).decode().rstrip("=")


def is_refused(text: str, sort: str, *, descending: bool = False) -> bool:
    try:
        parse_cursor(text, sort, descending=descending)
    except ValueError:
        return True
    return False


@given(VALUES, st.integers(0, 2**63 - 1), st.integers(0, 10**9), st.booleans())
def test_what_was_written_is_read(value: module.Value, frame_id: int, count: int, descending: bool) -> None:
    cursor = Cursor(Position(value, frame_id), count)
    text = write_cursor(cursor, "OBJECT", descending=descending)
    assert text.isascii()
    assert not set(text) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    read = parse_cursor(text, "OBJECT", descending=descending)
    assert read == cursor
    assert type(read.position.value) is type(value) if read.position else False
    for sort, falls in (("OBJECT", not descending), ("FILTER", descending)):
        assert is_refused(text, sort, descending=falls)


def test_the_start_is_empty() -> None:
    assert parse_cursor("", "id", descending=False) is START
    assert write_cursor(START, "id", descending=False) == ""


@given(VALUES, st.data())
def test_any_change_is_found_out(value: module.Value, data: st.DataObject) -> None:
    text = write_cursor(Cursor(Position(value, 7), 3), "OBJECT", descending=False)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8"))
    changed = text[:place] + other + text[place + 1 :]
    if changed != text:
        assert is_refused(changed, "OBJECT", descending=False)
    assert is_refused(text[:place] or "A", "OBJECT", descending=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=4)
)


@given(st.one_of(st.text(), st.binary().map(forged), JSON.map(forged)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_cursor(text, "OBJECT", descending=False)
    except ValueError:
        return
    assert text == ""


@pytest.mark.parametrize(
    ("kind", "value", "frame_id", "count"),
    [
        ("str", "\0", 1, 1),
        ("str", "\ud800", 1, 1),
        ("float", "nan", 1, 1),
        ("float", "inf", 1, 1),
        ("float", "0x1.0p9999", 1, 1),
        ("float", 1.5, 1, 1),
        ("int", 2**63, 1, 1),
        ("int", True, 1, 1),
        ("time", "2024-01-15T00:00:00+01:00", 1, 1),
        ("time", "x", 1, 1),
        ("date", "2024-13-01", 1, 1),
        ("NoneType", 0, 1, 1),
        ("complex", 1, 1, 1),
        ("int", 1, -1, 1),
        ("int", 1, 2**63, 1),
        ("int", 1, "1", 1),
        ("int", 1, 1, None),
        ("int", 1, 1, -1),
    ],
)
def test_a_forged_one_is_refused(kind: str, value: object, frame_id: object, count: object) -> None:
    assert is_refused(forged([1, "RLEVEL", False, kind, value, frame_id, count]), "RLEVEL")


def test_forging_gains_nothing_but_another_place() -> None:
    text = forged([1, "RLEVEL", False, "int", 5, 3, 9])
    assert parse_cursor(text, "RLEVEL", descending=False) == Cursor(Position(5, 3), 9)
    deep = forged(b"[" * 10_000)
    assert is_refused(deep, "RLEVEL", descending=False)


def test_zeros_keep_their_sign_and_times_their_microseconds() -> None:
    text = write_cursor(Cursor(Position(-0.0, 1), 1), "TEL_RA", descending=False)
    position = parse_cursor(text, "TEL_RA", descending=False).position
    assert position is not None
    assert math.copysign(1.0, float(str(position.value))) == -1.0
    moment = dt.datetime(2024, 1, 15, 1, 2, 3, 4)
    text = write_cursor(Cursor(Position(moment, 1), 1), "DATE_OBS", descending=False)
    position = parse_cursor(text, "DATE_OBS", descending=False).position
    assert position is not None
    assert position.value == moment
