"""How a sweep is cut."""

from hypothesis import given
from hypothesis import strategies as st

from shared.ingest.derived import derived_bound
from shared.ingest.shards import Part, cut, digest_boundaries, number_of_ranges
from shared.store.naming import derived_key

_keys = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=4)
_digits = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(st.sets(_keys, max_size=8), _keys)
def test_a_key_is_in_exactly_one_range(boundaries: set[str], key: str) -> None:
    ranges = cut(Part.OBJECTS, sorted(boundaries))
    inside = [found for found in ranges if found.after < key and (found.until is None or key <= found.until)]
    assert len(inside) == 1
    assert len(ranges) == len(boundaries) + 1


@given(st.integers(1, 64), _digits)
def test_a_digest_and_its_objects_are_in_the_same_range(number: int, digits: str) -> None:
    digest = f"{digits}/{digits[:16]}"
    key = derived_key(digest, "headers.json")
    ranges = cut(Part.DERIVED, digest_boundaries(number))
    assert len(ranges) == number
    by_digest = [r for r in ranges if r.after < digest and (r.until is None or digest <= r.until)]
    by_key = [r for r in ranges if derived_bound(r.after) < key and (r.until is None or key <= derived_bound(r.until))]
    assert by_digest == by_key
    assert len(by_digest) == 1
    assert key < derived_bound(digest)


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_ranges_are_of_a_size_but_not_without_number(count: int, size: int) -> None:
    number = number_of_ranges(count, size)
    assert 1 <= number <= 64
    assert number == 64 or (number - 1) * size < max(count, 1) <= number * size
