import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bundle.crc import combined_crc32


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_it_is_that_of_both_in_a_row(first: bytes, second: bytes) -> None:
    assert combined_crc32(zlib.crc32(first), zlib.crc32(second), len(second)) == zlib.crc32(first + second)


@pytest.mark.parametrize("size", [0, 1, 5 << 20, (64 << 20) + 7])
def test_long_messages(size: int) -> None:
    first, second = b"begin", bytes(size)
    assert combined_crc32(zlib.crc32(first), zlib.crc32(second), size) == zlib.crc32(second, zlib.crc32(first))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**45), st.integers(0, 2**45))
def test_terabytes_in_any_grouping(crc32: int, first: int, second: int) -> None:
    """Zeros behind zeros are as many zeros."""
    at_once = combined_crc32(crc32, _zeros(first + second), first + second)
    assert combined_crc32(combined_crc32(crc32, _zeros(first), first), _zeros(second), second) == at_once


def _zeros(size: int) -> int:
    """Return the CRC-32 of so many zero bytes, by doubling."""
    found, unit, length = 0, zlib.crc32(b"\0"), 1
    while size:
        if size & 1:
            found = combined_crc32(found, unit, length)
        unit, length, size = combined_crc32(unit, unit, length), 2 * length, size >> 1
    return found
