import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.index.angles import parse_declination, parse_right_ascension

ORION = 15.0 * (5 + 35 / 60 + 17.3 / 3600)
NEBULA = -(5 + 23 / 60 + 28 / 3600)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("83.82208", 83.82208),
        ("0", 0.0),
        ("360", 0.0),
        ("-0.0", 0.0),
        ("8.382208e1", 83.82208),
        ("83.82208d", 83.82208),
        ("83.5 deg", 83.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("05:35:17.3", ORION),
        (" 05:35:17.3", ORION),
        ("5:35:17.3", ORION),
        ("05 35 17.3", ORION),
        ("5h35m17.3s", ORION),
        ("5h 35m 17.3s", ORION),
        ("05:35", 83.75),
        ("5h35m", 83.75),
        ("5.5h", 82.5),
        ("83d30m", 83.5),
        ("24:00:00", 0.0),
    ],
)
def test_right_ascensions(text: str, degrees: float) -> None:
    assert parse_right_ascension(text) == pytest.approx(degrees, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("-5.391111", -5.391111),
        ("+90", 90.0),
        ("-05:23:28", NEBULA),
        ("-5d23m28s", NEBULA),
        ("-5°23'28\"", NEBULA),
        ("−5°23′28″", NEBULA),
        ("-05 23 28", NEBULA),
        (" 05:23:28", -NEBULA),
        ("+05:23:28", -NEBULA),
        ("-00:30:00", -0.5),
        ("-0:0:36", -0.01),
    ],
)
def test_declinations(text: str, degrees: float) -> None:
    assert parse_declination(text) == pytest.approx(degrees, abs=1e-12)


NOT_RIGHT_ASCENSIONS = (
    *("", "abc", "nan", "inf", "1e999", "-1", "360.1", "25:00:00", "05:60:00", "05:35:60", "1_0", "５", "5:35.5:10"),
    *("--5", "5h35", "5m", "h", ":", "1:2:3:4", "0x10", "1" * 101, "5 35 17.3 1", "1,5"),
)


@pytest.mark.parametrize("text", NOT_RIGHT_ASCENSIONS)
def test_what_is_no_right_ascension(text: str) -> None:
    with pytest.raises(ValueError, match=r"angle|right ascension"):
        parse_right_ascension(text)


@pytest.mark.parametrize("text", ["90.0001", "-90:00:01", "5h23m28s", "nan", "-inf", "91"])
def test_what_is_no_declination(text: str) -> None:
    with pytest.raises(ValueError, match=r"angle|declination"):
        parse_declination(text)


@given(st.integers(0, 24 * 3_600_000 - 1))
def test_sexagesimal_hours_count_milliseconds(milliseconds: int) -> None:
    seconds, rest = divmod(milliseconds, 1000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
    worded = text.replace(":", "h", 1).replace(":", "m") + "s"
    expected = pytest.approx(milliseconds / 3_600_000 * 15.0, abs=1e-9)
    assert parse_right_ascension(text) == expected
    assert parse_right_ascension(worded) == expected


@given(st.floats(-90, 90))
def test_decimal_degrees_are_read_as_written(degrees: float) -> None:
    assert parse_declination(repr(degrees)) == degrees


@given(st.text() | st.from_regex(r"[+-]?[0-9]{0,4}[ :hd.°]?[0-9]{0,3}[ :m'.]?[0-9.]{0,5}[s\"e]?", fullmatch=True))
def test_any_text_is_an_angle_on_the_sky_or_refused(text: str) -> None:
    for parse, low, high in ((parse_right_ascension, 0.0, 360.0), (parse_declination, -90.0, 90.0)):
        try:
            assert low <= parse(text) <= high
        except ValueError:
            continue
