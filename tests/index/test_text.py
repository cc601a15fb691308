import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.index.text import MAX_TEXT, clean_text, fold, is_storable, prefix_end

ANY_TEXT = st.text(st.characters())


@given(ANY_TEXT)
def test_clean_text_can_be_stored_and_keeps_what_could(text: str) -> None:
    cleaned = clean_text(text)
    assert is_storable(cleaned)
    assert len(cleaned) == min(len(text), MAX_TEXT)
    if is_storable(text):
        assert cleaned == text[:MAX_TEXT]
    cleaned.encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [("M 31", "m 31"), ("STRASSE", "straße"), ("Ångström", "A\u030angstro\u0308m"), ("ΣΊΣΥΦΟΣ", "σίσυφος")],
)
def test_fold_ignores_case_and_composition(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@given(st.text())
def test_fold_is_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)


@given(st.text(max_size=4), st.text(max_size=4))
def test_prefix_end_divides_by_bytes(prefix: str, text: str) -> None:
    end = prefix_end(prefix)
    begins = text.startswith(prefix)
    in_range = text.encode() >= prefix.encode() and (end is None or text.encode() < end.encode())
    assert begins == in_range


@pytest.mark.parametrize(
    ("prefix", "end"), [("", None), ("a/", "a0"), ("\ud7ff", "\ue000"), ("a\U0010ffff", "b"), ("\U0010ffff", None)]
)
def test_prefix_end(prefix: str, end: str | None) -> None:
    assert prefix_end(prefix) == end
