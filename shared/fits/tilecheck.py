"""Whether the tiles of a compressed image are what they say, before a decoder written in C believes them."""

import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadDataError
from shared.fits.columns import Column, row_count, row_layout
from shared.fits.model import Hdu
from shared.fits.pixels import card_value, hdu_label

__all__ = ["check_tiles"]

ALGORITHMS = {"RICE_1", "RICE_ONE", "GZIP_1", "GZIP_2", "PLIO_1", "HCOMPRESS_1", "NOCOMPRESS"}
DATA_COLUMNS = ("COMPRESSED_DATA", "GZIP_COMPRESSED_DATA", "UNCOMPRESSED_DATA")
ELEMENT_BYTES = {"B": 1, "I": 2, "J": 4, "E": 4, "K": 8, "D": 8}
SETTINGS = {"BLOCKSIZE": range(1, 65537), "BYTEPIX": (1, 2, 4)}
MAX_ROW_BYTES = 4096
HCOMPRESS_MAGIC = 0xDD99
DEFLATE_RATIO = 1032
"""The most that a byte of deflated data can become (zlib's technical notes)."""

SAFE_BYTES = 2**26
"""What a tile may unpack to without being measured first."""

Table = NDArray[np.void]


def check_tiles(path: Path, hdu: Hdu, shape: tuple[int, ...], tile: tuple[int, ...]) -> None:
    """Check a compressed image's settings, its tile descriptors and the dimensions that its tiles hold.

    Parameters
    ----------
    shape, tile
        Of the image and of a whole tile, in numpy's order.

    Raises
    ------
    BadDataError
        If anything would lead a decoder astray.
    """
    label = hdu_label(hdu)
    algorithm = card_value(hdu.cards, "ZCMPTYPE")
    if algorithm not in ALGORITHMS:
        raise BadDataError(f"{label}: ZCMPTYPE = {algorithm!r} is not a known compression")
    _check_settings(hdu, str(algorithm))
    counts = [-(-length // size) for length, size in zip(shape, tile, strict=True)]
    columns = [c for c in row_layout(hdu.cards) if c.name in DATA_COLUMNS and c.code in "PQ"]
    if not any(column.name == DATA_COLUMNS[0] for column in columns):
        raise BadDataError(f"{label}: there is no column COMPRESSED_DATA")
    rows, tiles = row_count(hdu), math.prod(counts)
    if rows < tiles:
        raise BadDataError(f"{label}: the image has {tiles:,} tiles, its table {rows:,} rows")
    pixels = _tile_pixels(shape, tile, counts)
    with path.open("rb") as file:
        for column in columns:
            sizes, offsets = _descriptors(file, hdu, column, tiles)
            _check_content(file, label, _method(column, str(algorithm)), sizes, offsets, pixels)


def _check_settings(hdu: Hdu, algorithm: str) -> None:
    """Check ZNAMEn/ZVALn, which astropy hands to the decoders as they are."""
    for number in range(1, 20):
        name = str(card_value(hdu.cards, f"ZNAME{number}")).strip().upper()
        value = card_value(hdu.cards, f"ZVAL{number}")
        allowed = SETTINGS.get(name)
        if allowed is not None and (type(value) is not int or value not in allowed):
            raise BadDataError(f"{hdu_label(hdu)}: {name} = {value!r} is not a setting of {algorithm}")


def _tile_pixels(shape: tuple[int, ...], tile: tuple[int, ...], counts: list[int]) -> NDArray[np.int64]:
    """Return the number of pixels of every tile in the order of the table's rows."""
    pixels = np.ones(1, np.int64)
    for length, size, count in zip(shape, tile, counts, strict=True):
        sizes = np.full(count, size, np.int64)
        sizes[-1] = length - size * (count - 1)
        pixels = np.outer(pixels, sizes).ravel()
    return pixels


def _method(column: Column, algorithm: str) -> str:
    return {"COMPRESSED_DATA": algorithm, "GZIP_COMPRESSED_DATA": "GZIP_1"}.get(column.name, "NOCOMPRESS")


def _descriptors(file: BinaryIO, hdu: Hdu, column: Column, tiles: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return length and place in the file, both in bytes, of every tile in one column."""
    label = hdu_label(hdu)
    width, heap, gap = (card_value(hdu.cards, key) for key in ("NAXIS1", "PCOUNT", "THEAP"))
    if type(width) is not int or not 0 < width <= MAX_ROW_BYTES or column.offset + 8 > width:
        raise BadDataError(f"{label}: NAXIS1 = {width!r} is not the row length of a compressed image")
    heap_start = gap if type(gap) is int else width * row_count(hdu)
    heap_end = width * row_count(hdu) + (heap if type(heap) is int else 0)
    element = ELEMENT_BYTES.get(column.element)
    descriptor = ">i8" if column.code == "Q" else ">i4"
    if element is None or column.offset + 2 * np.dtype(descriptor).itemsize > width:
        raise BadDataError(f"{label}: the column {column.name} has an unusable TFORM")
    layout = np.dtype({"names": ["pair"], "formats": [(descriptor, 2)], "offsets": [column.offset], "itemsize": width})
    file.seek(hdu.data_offset)
    table = np.fromfile(file, layout, tiles)
    if table.size < tiles:
        raise BadDataError(f"{label}: the file ends within the table of tiles")
    counts, offsets = table["pair"].astype(np.int64).T
    if (counts < 0).any() or (counts > 2**40).any() or (offsets < 0).any() or (offsets > 2**50).any():
        raise BadDataError(f"{label}: {column.name} points outside the data")
    sizes = counts * element
    used = sizes > 0
    if (heap_start + offsets[used] + sizes[used] > heap_end).any():
        raise BadDataError(f"{label}: {column.name} points outside the data")
    return sizes, hdu.data_offset + heap_start + offsets


def _check_content(
    file: BinaryIO,
    label: str,
    method: str,
    sizes: NDArray[np.int64],
    offsets: NDArray[np.int64],
    pixels: NDArray[np.int64],
) -> None:
    used = np.flatnonzero(sizes)
    if (sizes[used] > 64 + 16 * pixels[used]).any():
        raise BadDataError(f"{label}: a compressed tile is far longer than its pixels would be")
    if method.startswith("GZIP"):
        used = used[sizes[used] * DEFLATE_RATIO > SAFE_BYTES]
    elif method not in ("HCOMPRESS_1", "PLIO_1"):
        return
    for index in used.tolist():
        file.seek(int(offsets[index]))
        size, expected = int(sizes[index]), int(pixels[index])
        good = (
            _unpacks_within(file, size, 8 * expected)
            if method.startswith("GZIP")
            else _hcompress_fits(file.read(min(size, 14)), expected)
            if method == "HCOMPRESS_1"
            else _plio_fits(file.read(min(size, 12)), size)
        )
        if not good:
            raise BadDataError(f"{label}: tile {index + 1} does not hold the {expected:,} pixels that it should")


def _unpacks_within(file: BinaryIO, size: int, limit: int) -> bool:
    """Tell whether a gzip stream ends within ``limit`` bytes, without keeping them."""
    decoder = zlib.decompressobj(wbits=31)
    unpacked, left, data = 0, size, b""
    while not decoder.eof:
        if not data:
            data = file.read(min(left, 65536))
            left -= len(data)
        if not data:
            return False
        try:
            unpacked += len(decoder.decompress(data, 2**20))
        except zlib.error:
            return False
        data = decoder.unconsumed_tail
        if unpacked > limit:
            return False
    return not decoder.unused_data.strip(b"\0")


def _hcompress_fits(head: bytes, pixels: int) -> bool:
    """Tell whether an H-compress stream is for exactly so many pixels: its decoder takes the stream's word for it."""
    if len(head) < 14 or int.from_bytes(head[:2]) != HCOMPRESS_MAGIC:
        return False
    height, width = (int.from_bytes(head[place : place + 4], signed=True) for place in (2, 6))
    return height > 0 and width > 0 and height * width == pixels


def _plio_fits(head: bytes, size: int) -> bool:
    """Tell whether a PLIO line list ends within its tile (its length is word 3, or words 4 and 5 after a header)."""
    words = np.frombuffer(head[: len(head) // 2 * 2], ">i2").astype(int).tolist()
    if len(words) < 3:
        return False
    if words[2] > 0:
        return bool(words[2] * 2 <= size)
    if len(words) < 5:
        return False
    return bool(0 <= (words[4] << 15) + words[3] <= size // 2 and words[1] >= 0)
