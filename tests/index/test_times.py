import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.index.times import parse_date, parse_time


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-01-15", "2024-01-15T00:00"),
        ("2024-1-5", "2024-01-05T00:00"),
        ("20240115", "2024-01-15T00:00"),
        ("2024-01-15Z", "2024-01-15T00:00"),
        ("2024-01-15T18", "2024-01-15T18:00"),
        ("2024-01-15 18:30", "2024-01-15T18:30"),
        ("2024-01-15  18:30", "2024-01-15T18:30"),
        ("20240115T18:30:10", "2024-01-15T18:30:10"),
        ("20240115T183010.5", "2024-01-15T18:30:10.500000"),
        ("2024-01-15t18:30:10.123456z", "2024-01-15T18:30:10.123456"),
        ("2024-01-15T18:30:10.1234569", "2024-01-15T18:30:10.123456"),
        ("2024-01-15T18:30:10.", "2024-01-15T18:30:10"),
        ("2024-01-15T18:30:10Z", "2024-01-15T18:30:10"),
        ("2024-01-15T18:30:10+02:00", "2024-01-15T16:30:10"),
        ("2024-01-15T18:30:10 02:00", "2024-01-15T16:30:10"),
        ("2024-01-15 18:30 0200", "2024-01-15T16:30"),
        ("2024-01-15T18:30:10.25 05:30", "2024-01-15T13:00:10.250000"),
        ("2024-01-15T18:30:10-0730", "2024-01-16T02:00:10"),
        ("2024-01-15T18+02", "2024-01-15T16:00"),
        ("2024-01-15T24:00:00", "2024-01-16T00:00"),
        ("2016-12-31T23:59:60", "2017-01-01T00:00"),
        ("9999-12-31T23:00:00-05:00", "9999-12-31T23:59:59.999999"),
        ("0001-01-01T00:00:00+05:00", "0001-01-01T00:00"),
    ],
)
def test_times(text: str, instant: str) -> None:
    assert parse_time(text) == at(instant)


NOT_TIMES = (
    *("", "now", "2024", "2024-13-01", "2024-02-30", "0000-01-01", "2024-01-15T", "2024-01-15T25", "1e9"),
    *("2024-01-15T24:00:01", "2024-01-15T18:60", "2024-01-15T18:30:61", "2024-01-15T18:30:10+24:00"),
    *("2024-01-15T18:30:10+02:60", "２０２４-01-15", "2024-01-15T18:30:10.1.2", "2024/01/15", "15-01-2024"),
    "2024-01-15T18:30:10 UTC",
)


@pytest.mark.parametrize("text", NOT_TIMES)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@pytest.mark.parametrize("text", ["2024-01-15", "2024-1-15", "20240115"])
def test_dates(text: str) -> None:
    assert parse_date(text) == dt.date(2024, 1, 15)


@pytest.mark.parametrize("text", ["2024-01-15T00:00", "240115", "2024-1", "202401150", "", "2023-02-29"])
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_date(text)


@given(st.datetimes(), st.sampled_from("T "))
def test_iso_times_are_read_as_written(instant: dt.datetime, separator: str) -> None:
    assert parse_time(instant.isoformat(separator)) == instant


@given(
    st.datetimes(at("0002-01-01"), at("9998-01-01")),
    st.integers(-23 * 60, 23 * 60),
    st.booleans(),
)
def test_offsets_are_taken_off_also_when_their_plus_was_lost(time: dt.datetime, minutes: int, mended: bool) -> None:
    zoned = time.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes)))
    text = zoned.isoformat().replace("+", " ") if mended else zoned.isoformat()
    assert parse_time(text) == time - dt.timedelta(minutes=minutes)


@given(st.text() | st.from_regex(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9:.]{0,12}[Z+ -]?[0-9:]{0,6}", fullmatch=True))
def test_any_text_is_a_naive_time_or_refused(text: str) -> None:
    try:
        assert parse_time(text).tzinfo is None
    except ValueError:
        return
