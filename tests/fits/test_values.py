import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fits.values import MAX_TEXT, has_value, integer, number, sexagesimal, text

NULLS = ["N/A", "n/a", "UNKNOWN", "UNSPECIFIED", "NaN", "NOTPRESENT", "None", "_unknown_", "<NO FILTER>", "XXXXXX", ""]
ANY_VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=400),
    st.sampled_from(NULLS),
)


@pytest.mark.parametrize("word", [*NULLS, "   ", "undefined", None, float("nan"), float("inf"), "\0\0"])
def test_null_words_are_no_values(word: str | float | None) -> None:
    assert text(word) is None
    assert not has_value(word)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(48, "48"), (7215.0, "7215"), (1.5, "1.5"), (" ip ", "ip"), ("u'", "u'"), ("2 1", "2 1"), ("a\0b\x1b", "ab")],
)
def test_text(value: str | float, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" 9,78E-03", 9.78e-3),
        ("1.5D2", 150.0),
        ("45.265 s", 45.265),
        (" 43.3533", 43.3533),
        ("NaN", None),
        ("1.2.3", None),
        ("f/16", None),
        (True, None),
        (10**30, None),
        (float("inf"), None),
        ("1e999", None),
    ],
)
def test_number(value: str | float, expected: float | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(91, 91), ("2", 2), (2.0, 2), (2.5, None), (2**31, None), ("x", None)])
def test_integer(value: str | float, expected: int | None) -> None:
    assert integer(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("01:24:11.435", 1 + 24 / 60 + 11.435 / 3600),
        ("-00:30:00", -0.5),
        ("+33:44:54.", 33 + 44 / 60 + 54 / 3600),
        (" 1 26 34.08", 1 + 26 / 60 + 34.08 / 3600),
        ("5h35m17.3s", 5 + 35 / 60 + 17.3 / 3600),
        ("-5d23'28\"", -(5 + 23 / 60 + 28 / 3600)),
        ("-64 32 56", -(64 + 32 / 60 + 56 / 3600)),
        ("+110:52:39.0", 110 + 52 / 60 + 39 / 3600),
        ("12:60:00", 13.0),
        ("12:61:00", None),
        ("12.5", None),
        ("NaN", None),
        (12.5, None),
    ],
)
def test_sexagesimal(value: str | float, expected: float | None) -> None:
    assert sexagesimal(value) == (pytest.approx(expected) if expected is not None else None)


@given(ANY_VALUE)
def test_any_value_can_be_asked_for_anything(value: bool | float | complex | str | None) -> None:
    word, amount, whole = text(value), number(value), integer(value)
    sexagesimal(value)
    assert word is None or (0 < len(word) <= MAX_TEXT and word == word.strip() and "\0" not in word)
    assert amount is None or abs(amount) < float("inf")
    assert whole is None or abs(whole) < 2**31


@given(st.integers(0, 23), st.integers(0, 59), st.floats(0, 59.999), st.sampled_from([":", " "]), st.sampled_from("+-"))
def test_sexagesimal_round_trip(hours: int, minutes: int, seconds: float, parting: str, sign: str) -> None:
    found = sexagesimal(f"{sign}{hours:02d}{parting}{minutes:02d}{parting}{seconds:06.3f}")
    assert found is not None
    assert abs(found) == pytest.approx(hours + minutes / 60 + seconds / 3600, abs=1e-6)
    assert found <= 0 if sign == "-" else found >= 0
