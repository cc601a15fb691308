import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api.ranges import RangeNotSatisfiableError, asked_range, holds_if_range

lengths = st.integers(0, 2**50)


@given(lengths, st.data())
def test_first_and_last(length: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, length + 3))
    last = data.draw(st.integers(first, 2**60))
    if first >= length:
        with pytest.raises(RangeNotSatisfiableError) as caught:
            asked_range(f"bytes={first}-{last}", length)
        assert caught.value.length == length
    else:
        assert asked_range(f"bytes={first}-{last}", length) == (first, min(last + 1, length))
        assert asked_range(f" Bytes = {first} - ", length) == (first, length)


@given(st.integers(1, 2**50), st.integers(1, 2**60))
def test_suffix(length: int, suffix: int) -> None:
    assert asked_range(f"bytes=-{suffix}", length) == (max(length - suffix, 0), length)


@given(st.one_of(st.none(), st.text()), st.integers(1, 100))
def test_any_text_is_a_range_or_none(header: str | None, length: int) -> None:
    try:
        found = asked_range(header, length)
    except RangeNotSatisfiableError:
        return
    assert found is None or 0 <= found[0] < found[1] <= length


@pytest.mark.parametrize(
    "header", [None, "", "bytes=", "bytes=-", "bytes=2-1", "bytes=0-1,3-4", "bits=0-1", "bytes=٣-"]
)
def test_what_is_ignored(header: str | None) -> None:
    assert asked_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=-0", "bytes=10-", "bytes=10-12", f"bytes={'9' * 30}-"])
def test_what_is_not_there(header: str) -> None:
    with pytest.raises(RangeNotSatisfiableError):
        asked_range(header, 10)


@pytest.mark.parametrize(
    ("header", "holds"),
    [(None, True), ('"a"', True), (' "a" ', True), ('W/"a"', False), ('"b"', False), ("a", False), ("", False)],
)
def test_if_range(header: str | None, holds: bool) -> None:
    assert holds_if_range(header, '"a"') is holds
