"""FITS bytes that depend on their content alone, with CHECKSUM and DATASUM that verify."""

import io
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from astropy.io import fits

__all__ = ["Cards", "fits_bytes", "image_hdu"]

Cards = Mapping[str, tuple[str | int | float | bool | None, str]]
"""Header cards in order: keyword to value and comment."""

BLOCK = 2880
TILE_ROWS = 64
EXCLUDED = {*range(0x3A, 0x41), *range(0x5B, 0x61)}


def image_hdu(image: np.ndarray[Any, Any], cards: Cards, *, compressed: bool, name: str = "SCI") -> Any:
    """Make an image HDU; compressed without loss: RICE_1 for integers, GZIP_2 for floating point."""
    header = fits.Header([(key, value, comment[: _room(key, value)]) for key, (value, comment) in cards.items()])
    if not compressed:
        return fits.PrimaryHDU(image, header)
    if image.dtype.kind == "f":
        return _shuffled(np.asarray(image, ">f4"), header, name)
    return fits.CompImageHDU(image, header, name=name, compression_type="RICE_1")


def _shuffled(image: np.ndarray[Any, Any], header: fits.Header, name: str) -> Any:
    """Compress with GZIP_2 (FITS 4.0, section 10.4.2): astropy would write the time into every tile."""
    rows, columns = image.shape
    tile = min(TILE_ROWS, rows)
    parts = []
    for first in range(0, rows, tile):
        octets = image[first : first + tile].reshape(-1, 1).view(np.uint8)
        squeezer = zlib.compressobj(1, wbits=31)
        parts.append(squeezer.compress(octets.T.tobytes()) + squeezer.flush())
    tiles = np.empty(len(parts), object)
    tiles[:] = [np.frombuffer(part, np.uint8) for part in parts]
    table = fits.BinTableHDU.from_columns([fits.Column("COMPRESSED_DATA", "1PB()", array=tiles)])
    table.header.extend(
        [
            ("ZIMAGE", True, "extension contains compressed image"),
            ("ZTENSION", "IMAGE"),
            ("ZBITPIX", -32),
            ("ZNAXIS", 2),
            ("ZNAXIS1", columns),
            ("ZNAXIS2", rows),
            ("ZPCOUNT", 0),
            ("ZGCOUNT", 1),
            ("ZTILE1", columns),
            ("ZTILE2", tile),
            ("ZCMPTYPE", "GZIP_2"),
            ("EXTNAME", name, "extension name"),
            *header.cards,
        ]
    )
    return table


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
    data = written[place["datLoc"] : place["datLoc"] + place["datSpan"]]
    cards = header[: header.rindex("END     ")]
    cards += _card("DATASUM", f"{_sum32(data):<10}", "data unit checksum")
    cards += _card("CHECKSUM", "0" * 16, "HDU checksum") + "END".ljust(80)
    unsigned = cards.ljust(-(-len(cards) // BLOCK) * BLOCK).encode("ascii")
    checksum = _encoded(~_sum32(unsigned + data) & 0xFFFFFFFF)
    return unsigned.replace(b"'" + b"0" * 16 + b"'", f"'{checksum}'".encode("ascii")) + data


def _card(keyword: str, value: str, comment: str) -> str:
    quoted = f"'{value}'"
    return f"{keyword:<8}= {quoted:<20} / {comment}".ljust(80)


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
