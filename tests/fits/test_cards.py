import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fits.cards import parse_cards
from shared.fits.model import Card, CardValue
from tests.fits.builders import card, record


def parsed(*texts: str | bytes) -> tuple[Card, ...]:
    return parse_cards([record(text) for text in texts])[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SIMPLE  =                    T / conforms", Card("SIMPLE", True, "conforms")),
        ("EXPTIME =                15.0 / [s] Exposure", Card("EXPTIME", 15.0, "[s] Exposure")),
        ("EXPTIME =  1.5D+02", Card("EXPTIME", 150.0)),
        ("NAXIS   = 2", Card("NAXIS", 2)),
        ("FILTER  = 'u''      '", Card("FILTER", "u'")),
        ("OBJECT  = 'a / b'    / with a slash", Card("OBJECT", "a / b", "with a slash")),
        ("OBJECT  = '  M 94  ' /", Card("OBJECT", "  M 94")),
        ("OBJECT  = 'never closed", Card("OBJECT", "never closed")),
        ("FIELD   =                      / undefined", Card("FIELD", None, "undefined")),
        ("FIELD   =", Card("FIELD", None)),
        ("Z       = (1.5, -2)", Card("Z", 1.5 - 2j)),
        ("P.I.    = 'Szentgyorgyi'", Card("P.I.", "Szentgyorgyi")),
        ("filter  = 'R'", Card("FILTER", "R")),
        ("HIERARCH field_name = 'TEST' / of PANOPTES", Card("FIELD_NAME", "TEST", "of PANOPTES")),
        ("hierarch ESO  OBS PROG ID = '087.C-0991(A)'", Card("ESO OBS PROG ID", "087.C-0991(A)")),
        ("HIERARCH CAMERA-DATE-OBS= '2018-09-17T21:04:46'", Card("CAMERA-DATE-OBS", "2018-09-17T21:04:46")),
        ("HIERARCH ALIGNTEST ALT = 1.5", Card("ALIGNTEST ALT", 1.5)),
        ("LONGKEYWORD = 5", Card("LONGKEYWORD", 5)),
        ("COMMENT = not a value", Card("COMMENT", "= not a value")),
        ("HISTORY with text ", Card("HISTORY", "with text")),
        ("        text without keyword", Card("", "text without keyword")),
        ("DATE-OBS= 2014-01-01 / not quoted", Card("DATE-OBS", "2014-01-01", "not quoted")),
        ("TEMP    = NaN", Card("TEMP", "NaN")),
        ("BROKEN  : 5", Card("BROKEN", ": 5")),
    ],
)
def test_one_card(text: str, expected: Card) -> None:
    assert parsed(text) == (expected,)


def test_bytes_outside_ascii_are_read_and_control_characters_become_blanks() -> None:
    cards = parsed(
        "OBSERVER= 'Jürgen'".encode(), b"SITE    = 'C\xf4te\x00d'", b"OBJECT  = 'M\t31\x00\x00'", b"TEL     = 'x'\0\0\0"
    )
    assert [one.value for one in cards] == ["Jürgen", "Côte d", "M 31", "x"]


@pytest.mark.parametrize("longstrn", [[], ["LONGSTRN= 'OGIP 1.0'"]])
def test_continue_is_joined_with_and_without_longstrn(longstrn: list[str]) -> None:
    cards = parsed(
        *longstrn, "PATH    = '/tmp/&'  / where", "CONTINUE  'a/b&'", "CONTINUE  '/c.fits' / it is", "NEXT    = 1"
    )
    assert cards[len(longstrn) :] == (Card("PATH", "/tmp/a/b/c.fits", "where it is"), Card("NEXT", 1))


def test_an_ampersand_without_continue_stays() -> None:
    assert parsed("OBJECT  = 'you &'", "NEXT    = 1") == (Card("OBJECT", "you &"), Card("NEXT", 1))
    assert parsed("OBJECT  = 'last &'") == (Card("OBJECT", "last &"),)


def test_duplicates_stay_in_order_and_blank_records_go() -> None:
    assert parsed("DATE    = 'a'", "", "DATE    = 'b'") == (Card("DATE", "a"), Card("DATE", "b"))


def test_cards_without_a_legal_value_are_counted() -> None:
    assert parse_cards([record("A       = x y"), record("B       = 1"), record("no value here")])[1] == 2


@given(st.lists(st.binary(min_size=80, max_size=80), max_size=6))
def test_any_records_are_read(records: list[bytes]) -> None:
    cards, _ = parse_cards(records)
    assert len(cards) <= len(records)
    assert all(one.keyword == one.keyword.upper() or not one.keyword.isascii() for one in cards)


@given(st.one_of(st.booleans(), st.integers(-(10**19), 10**19), st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_survive(value: CardValue) -> None:
    (found,) = parsed(card("KEY", value))
    assert found.value == value
    assert type(found.value) is type(value)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
def test_strings_survive_without_trailing_blanks(value: str) -> None:
    (found,) = parsed(card("KEY", value, "comment"))
    assert found == Card("KEY", value.rstrip(), "comment")
