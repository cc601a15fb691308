"""A year of nights."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from functions.api.web.calendar import year_of

NIGHTS = st.dictionaries(st.dates(dt.date(2024, 1, 1), dt.date(2024, 12, 31)), st.integers(1, 1000))


@given(NIGHTS)
def test_every_night_stands_once_with_its_frames(counts: dict[dt.date, int | None]) -> None:
    months = year_of(2024, counts)
    days = [day for month in months for week in month.weeks for day in week if day is not None]
    assert [day.date for day in days] == [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(366)]
    assert {day.date: day.count for day in days if day.level} == counts
    assert all(1 <= day.level <= 4 for day in days if day.date in counts)
    assert sum(month.frames for month in months) == sum(count or 0 for count in counts.values())


@given(NIGHTS)
def test_more_frames_are_never_paler(counts: dict[dt.date, int | None]) -> None:
    days = [day for month in year_of(2024, counts) for week in month.weeks for day in week if day is not None]
    ranked = sorted((day.count or 0, day.level) for day in days if day.level)
    assert [level for _, level in ranked] == sorted(level for _, level in ranked)


def test_weeks_begin_on_monday() -> None:
    week = year_of(2026, {})[3].weeks[0]
    assert [day.date.day if day else None for day in week] == [None, None, 1, 2, 3, 4, 5]


def test_nights_without_numbers_are_shown_as_such() -> None:
    (day,) = [
        day
        for month in year_of(2026, {dt.date(2026, 4, 15): None})
        for week in month.weeks
        for day in week
        if day is not None and day.level
    ]
    assert (day.date, day.count, day.level) == (dt.date(2026, 4, 15), None, 1)
