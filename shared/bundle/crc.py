"""The CRC-32 of bytes one after the other, from the CRC-32 of each and its length: no byte is read.

Appending n zero bytes to a message multiplies its CRC by x^(8n) modulo the polynomial, so the CRC of two messages in a
row is that of the first, multiplied so, plus that of the second (M. Adler in zlib's crc32.c).
"""

from functools import cache, lru_cache

__all__ = ["combined_crc32"]

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
"""The polynomial 1: the bits are reflected, as CRC-32 wants them."""

_SIZES = 4096


def combined_crc32(first: int, second: int, size: int) -> int:
    """Return the CRC-32 of two messages in a row; the second has ``size`` bytes.

    >>> import zlib
    >>> combined_crc32(zlib.crc32(b"fits"), zlib.crc32(b"vault"), 5) == zlib.crc32(b"fitsvault")
    True
    """
    return _product(_power(8 * size), first) ^ second


@lru_cache(maxsize=_SIZES)
def _power(exponent: int) -> int:
    """Return x to the ``exponent``; frames of one camera have one length."""
    found, bit = _ONE, 0
    while exponent:
        if exponent & 1:
            found = _product(_square(bit), found)
        exponent >>= 1
        bit += 1
    return found


@cache
def _square(times: int) -> int:
    """Return x, squared so many times."""
    return _ONE >> 1 if times == 0 else _product(_square(times - 1), _square(times - 1))


def _product(left: int, right: int) -> int:
    found = 0
    while left:
        if left & _ONE:
            found ^= right
        left = left << 1 & 0xFFFFFFFF
        right = right >> 1 ^ (_POLYNOMIAL if right & 1 else 0)
    return found
