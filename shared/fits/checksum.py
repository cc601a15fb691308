"""CHECKSUM and DATASUM verified on raw bytes, independent of any reader's idea of the header.

The sums are 32-bit ones-complement sums as in the FITS standard 4.0, section 4.4.2.7 and appendix J.
"""

from typing import BinaryIO

import numpy as np

from shared.fits.model import CardValue, ChecksumState

__all__ = ["checksum_state", "datasum_state", "overall", "sum_bytes", "sum_stream"]

_ALL_ONES = 0xFFFFFFFF
_CHUNK = 4 << 20


def sum_bytes(data: bytes, start: int = 0) -> int:
    """Add bytes to a ones-complement sum; a last incomplete word is filled with zeros."""
    if len(data) % 4:
        data += bytes(-len(data) % 4)
    total = int(np.frombuffer(data, dtype=">u4").sum(dtype=np.uint64)) + start
    while total > _ALL_ONES:
        total = (total & _ALL_ONES) + (total >> 32)
    return total


def sum_stream(stream: BinaryIO, offset: int, length: int) -> int:
    """Sum a stretch of a file in chunks; bytes that the file lacks count as zero."""
    stream.seek(offset)
    total = 0
    while length > 0:
        chunk = stream.read(min(_CHUNK, length))
        if not chunk:
            break
        total = sum_bytes(chunk, total)
        length -= len(chunk)
    return total


def datasum_state(value: CardValue, data_sum: int) -> ChecksumState:
    """Compare DATASUM with the sum of the data unit."""
    text = str(value).strip() if value is not None else ""
    if not text:
        return ChecksumState.ABSENT
    stated = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else -1
    return ChecksumState.VERIFIED if stated in _equal_sums(data_sum) else ChecksumState.FAILED


def checksum_state(value: CardValue, hdu_sum: int) -> ChecksumState:
    """Tell whether the sum of a whole HDU is the zero that its CHECKSUM was made to give."""
    if value is None or not str(value).strip():
        return ChecksumState.ABSENT
    return ChecksumState.VERIFIED if hdu_sum in {0, _ALL_ONES} else ChecksumState.FAILED


def overall(states: list[ChecksumState]) -> ChecksumState:
    """Sum up several: a failure outweighs a success, both outweigh absence."""
    for state in (ChecksumState.FAILED, ChecksumState.VERIFIED):
        if state in states:
            return state
    return ChecksumState.ABSENT


def _equal_sums(total: int) -> set[int]:
    return {0, _ALL_ONES} if total in {0, _ALL_ONES} else {total}
