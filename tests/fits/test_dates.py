import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fits.dates import from_julian_date, parse_date, parse_moment, parse_time
from tests.fits.test_values import ANY_VALUE

SUPERNOVA = dt.datetime(1987, 2, 23, 7, 35, 41)


def moment(value: str | float, near: dt.datetime | None = None) -> str | None:
    found = parse_moment(value, near)
    if found is None:
        return None
    date, time = found
    return str(date) if time is None else (dt.datetime.combine(date, dt.time()) + time).isoformat()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2015-12-16T18:20:48.907", "2015-12-16T18:20:48.907000"),
        ("2020-05-30T00:22:49.0968820", "2020-05-30T00:22:49.096882"),
        ("2020-05-30T00:22:49.9999999", "2020-05-30T00:22:49.999999"),
        ("2020-05-30T00:22:49.1234567890123456789", "2020-05-30T00:22:49.123456"),
        ("20200530T002249.12345678901234Z", "2020-05-30T00:22:49.123456"),
        ("2002-01-28T02:45:1.875", "2002-01-28T02:45:01.875000"),
        ("2012-06-05 04:17:00", "2012-06-05T04:17:00"),
        ("2012-06-05T04:17:00Z", "2012-06-05T04:17:00"),
        ("2017-12-19T18:33:43.317-0700", "2017-12-20T01:33:43.317000"),
        ("2017-12-19T00:33:43+02:00", "2017-12-18T22:33:43"),
        ("1987-08-23T09:60:00", "1987-08-23T10:00:00"),
        ("1987-08-23T23:59:60", "1987-08-24T00:00:00"),
        ("2014-01-01", "2014-01-01"),
        ("2011/09/22", "2011-09-22"),
        ("20200101T080115", "2020-01-01T08:01:15"),
        ("20200101", "2020-01-01"),
        (20200101, "2020-01-01"),
        ("23/02/87", "1987-02-23"),
        ("04/07/2018", "2018-07-04"),
        ("01-May-23 13:07:58", "2023-05-01T13:07:58"),
        ("24Sep2022", "2022-09-24"),
        (2446849.816447, "1987-02-23T07:35:41.020810"),
        ("0000-00-00", None),
        ("0000-00-00T00:00:00", None),
        ("1753-01-01", None),
        ("9999-12-31T23:59:60", None),
        ("2014-02-30", None),
        ("N/A", None),
        ("", None),
        (1.5, None),
    ],
)
def test_spellings(value: str | float, expected: str | None) -> None:
    found = moment(value)
    if isinstance(value, float) and expected:
        assert found is not None
        assert found[:19] == expected[:19]
    else:
        assert found == expected


@pytest.mark.parametrize("value", ["23/02/87", "02/23/87", "87/02/23"])
def test_two_digit_dates_follow_other_evidence(value: str) -> None:
    assert moment(value, SUPERNOVA) == "1987-02-23"


def test_evidence_decides_on_the_century() -> None:
    assert moment("04/07/18", dt.datetime(2018, 7, 4, 14)) == "2018-07-04"
    assert moment("04/07/18") == "1918-07-04"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("20151216", "2015-12-16"), ("2022-06-06", "2022-06-06"), ("24Sep2022", "2022-09-24"), (20151216, "2015-12-16")],
)
def test_night_spellings(value: str | int, expected: str) -> None:
    assert str(parse_date(value)) == expected


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("00:57:33", 3453.0),
        ("16:09:32.07", 58172.07),
        (84223.0, 84223.0),
        ("84223.0", 84223.0),
        ("25:00:00", None),
        (1e9, None),
    ],
)
def test_times_of_day(value: str | float, seconds: float | None) -> None:
    found = parse_time(value)
    assert (found.total_seconds() if found is not None else None) == seconds


def test_hours_when_told() -> None:
    assert parse_time(1.5, hours=True) == dt.timedelta(minutes=90)


@pytest.mark.parametrize("days", [0, -5, 1e18, "x", None, 3e6])
def test_what_is_no_julian_date(days: float | str | None) -> None:
    assert from_julian_date(days) is None


@given(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2099, 12, 31)))
def test_round_trips(when: dt.datetime) -> None:
    date, time = when.date(), when - dt.datetime.combine(when.date(), dt.time())
    for spelling in (
        when.isoformat(),
        when.isoformat(" "),
        when.isoformat() + "Z",
        when.strftime("%Y/%m/%dT%H:%M:%S.%f"),
    ):
        assert parse_moment(spelling) == (date, time)
    zoned = when.replace(tzinfo=dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=-7)))
    assert parse_moment(zoned.isoformat()) == (date, time)
    for night in (when.strftime("%Y%m%d"), when.strftime("%Y-%m-%d"), when.strftime("%d%b%Y")):
        assert parse_date(night) == date


@given(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2099, 12, 31)))
def test_julian_dates_round_trip_to_a_millisecond(when: dt.datetime) -> None:
    mjd = (when - dt.datetime(1858, 11, 17)) / dt.timedelta(days=1)
    for days in (mjd, mjd + 2400000.5):
        found = from_julian_date(days)
        assert found is not None
        assert abs(found - when) < dt.timedelta(milliseconds=1)


@given(ANY_VALUE, st.one_of(st.none(), st.datetimes()))
def test_any_value_is_read_or_none(value: bool | float | complex | str | None, near: dt.datetime | None) -> None:
    found = parse_moment(value, near)
    assert found is None or found[1] is None or dt.timedelta(0) <= found[1] < dt.timedelta(days=1)
    parse_date(value)
    parse_time(value)
    from_julian_date(value)


@given(st.from_regex(r"\A[0-9]{1,4}[-/:. ][0-9]{1,4}[-/:. ][0-9]{1,4}[T ]?[0-9:.+\-Z]{0,16}\Z"))
def test_anything_like_a_date_is_read_or_none(value: str) -> None:
    parse_moment(value)
    parse_time(value)
