"""FITS bytes that depend on their content alone, with CHECKSUM and DATASUM that verify."""

import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from astropy.io import fits

__all__ = ["Cards", "fits_bytes", "image_hdu"]

Cards = Mapping[str, tuple[str | int | float | bool | None, str]]
"""Header cards in order: keyword to value and comment."""

BLOCK = 2880
GZIP_TILE_ROWS = 64
EXCLUDED = {*range(0x3A, 0x41), *range(0x5B, 0x61)}


def image_hdu(image: np.ndarray[Any, Any], cards: Cards, *, compressed: bool, name: str = "SCI") -> Any:
    """Make an image HDU; compressed without loss: RICE_1 for integers, GZIP_2 for floating point."""
    header = fits.Header()
    for keyword, (value, comment) in cards.items():
        header.append(fits.Card(keyword, value, comment[: _room(keyword, value)]))
    if not compressed:
        return fits.PrimaryHDU(image, header)
    if image.dtype.kind == "f":
        tile = (min(GZIP_TILE_ROWS, image.shape[0]), image.shape[1])
        options = {"compression_type": "GZIP_2", "quantize_level": 0, "tile_shape": tile}
    else:
        options = {"compression_type": "RICE_1"}
    return fits.CompImageHDU(image, header, name=name, **options)


def _room(keyword: str, value: object) -> int:
    """Return how long a card's comment may be."""
    length = max(8, len(value) + value.count("'")) + 2 if isinstance(value, str) else 20
    return max(0, 80 - max(8, len(keyword)) - 2 - max(20, length) - 3) if len(keyword) <= 8 else 0


def fits_bytes(hdus: Iterable[Any]) -> bytes:
    """Write HDUs to bytes, the first of them in an HDU of its own if it cannot be primary."""
    hdus = list(hdus)
    if not isinstance(hdus[0], fits.PrimaryHDU):
        hdus.insert(0, fits.PrimaryHDU())
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer)
    written = buffer.getvalue()
    with fits.open(io.BytesIO(written), disable_image_compression=True) as file:
        return b"".join(_sealed(written, hdu) for hdu in file)


def _sealed(written: bytes, hdu: Any) -> bytes:
    """Cut one HDU out of a file and add its checksums."""
    place = hdu.fileinfo()
    header = written[place["hdrLoc"] : place["datLoc"]].decode("ascii")
    data = bytearray(written[place["datLoc"] : place["datLoc"] + place["datSpan"]])
    if hdu.header.get("ZCMPTYPE") == "GZIP_2":
        _forget_time(data, hdu.header["NAXIS1"], hdu.header["NAXIS2"])
    cards = header[: len(header) - (len(header) - header.rindex("END     "))]
    cards += _card("DATASUM", f"{_sum32(bytes(data)):<10}", "data unit checksum")
    cards += _card("CHECKSUM", "0" * 16, "HDU checksum") + "END".ljust(80)
    unsigned = cards.ljust(-(-len(cards) // BLOCK) * BLOCK).encode("ascii")
    checksum = _encoded(~_sum32(unsigned + bytes(data)) & 0xFFFFFFFF)
    return unsigned.replace(b"'" + b"0" * 16 + b"'", f"'{checksum}'".encode("ascii")) + bytes(data)


def _forget_time(data: bytearray, row_bytes: int, rows: int) -> None:
    """Set the modification time in every tile's gzip header to none; descriptors are the first column."""
    for row in range(rows):
        offset = int.from_bytes(data[row * row_bytes + 4 : row * row_bytes + 8])
        stamp = row_bytes * rows + offset + 4
        data[stamp : stamp + 4] = bytes(4)


def _card(keyword: str, value: str, comment: str) -> str:
    return f"{keyword:<8}= '{value}' / {comment}".ljust(80)


def _sum32(data: bytes) -> int:
    """Return the ones-complement sum of 32-bit words (FITS 4.0, appendix J)."""
    total = int(np.frombuffer(data, ">u4").sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def _encoded(value: int) -> str:
    """Encode a checksum as 16 letters and digits (FITS 4.0, appendix J)."""
    letters = [0] * 16
    for index in range(4):
        quotient, remainder = divmod(value >> (24 - 8 * index) & 0xFF, 4)
        group = [quotient + remainder + 0x30, quotient + 0x30, quotient + 0x30, quotient + 0x30]
        while any(letter in EXCLUDED for letter in group):
            for first in (0, 2):
                if group[first] in EXCLUDED or group[first + 1] in EXCLUDED:
                    group[first] += 1
                    group[first + 1] -= 1
        letters[index::4] = group
    return bytes(letters[-1:] + letters[:-1]).decode("ascii")
