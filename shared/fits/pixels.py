"""The stored values of an image HDU, in blocks of bounded size.

Blocks hold what stands in the file, before BSCALE and BZERO: averages and percentiles are taken there and scaled at
the end, which costs nothing. Uncompressed pixels are read without astropy, straight from the data unit.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadDataError
from shared.fits.model import Card, CardValue, Hdu

__all__ = ["BLOCK_PIXELS", "Block", "PixelSource", "PlainImage", "Scaling", "card_value", "hdu_label", "scaling_of"]

BLOCK_PIXELS = 2**21
"""Pixels that are in memory at once."""

DTYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
"""numpy types of BITPIX (FITS 4.0, table 8)."""

Values = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of stored values; ``row`` counts through all planes, ``column`` is 0-based."""

    row: int
    column: int
    values: Values


class PixelSource(Protocol):
    """What gives the pixels of one image HDU."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the first plane."""

    def blocks(self) -> Iterator[Block]:
        """Give every pixel of every plane once.

        Raises
        ------
        BadDataError
            If the pixels cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Scaling:
    """``physical = zero + scale * stored``; ``blank`` is the stored value that means no value (integers only)."""

    scale: float = 1.0
    zero: float = 0.0
    blank: int | None = None


def card_value(cards: Sequence[Card], keyword: str) -> CardValue:
    """Return the value of the first card of that keyword, or None."""
    return next((card.value for card in cards if card.keyword == keyword), None)


def hdu_label(hdu: Hdu) -> str:
    """Name an HDU as messages do: ``HDU 1 (SCI)``."""
    return f"HDU {hdu.index} ({hdu.name})" if hdu.name else f"HDU {hdu.index}"


def scaling_of(hdu: Hdu) -> Scaling:
    """Read BSCALE, BZERO and BLANK (ZBLANK); values that are no finite numbers are as if absent."""
    blank = None
    if hdu.bitpix > 0:
        blank = next((b for b in (card_value(hdu.cards, key) for key in ("ZBLANK", "BLANK")) if type(b) is int), None)
    return Scaling(_number(hdu, "BSCALE", 1.0) or 1.0, _number(hdu, "BZERO", 0.0), blank)


def _number(hdu: Hdu, keyword: str, default: float) -> float:
    value = card_value(hdu.cards, keyword)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return float(value) if abs(value) < 1e300 else default


@dataclass(frozen=True, slots=True)
class PlainImage:
    """The pixels of an uncompressed image HDU."""

    path: Path
    hdu: Hdu

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the first plane; a one-dimensional image has one row."""
        axes = self.hdu.axes
        return (axes[1] if len(axes) > 1 else 1), axes[0]

    def blocks(self) -> Iterator[Block]:
        """Read runs of rows; a row longer than a block comes in pieces.

        Raises
        ------
        BadDataError
            If BITPIX is none of the standard's, or if the file ends before the pixels do.
        """
        if self.hdu.bitpix not in DTYPES:
            raise BadDataError(f"{hdu_label(self.hdu)}: BITPIX = {self.hdu.bitpix} is not a FITS data type")
        dtype = np.dtype(DTYPES[self.hdu.bitpix])
        columns = self.hdu.axes[0]
        rows = math.prod(self.hdu.axes[1:])
        band = max(1, BLOCK_PIXELS // columns)
        piece = min(columns, BLOCK_PIXELS)
        with self.path.open("rb") as file:
            file.seek(self.hdu.data_offset)
            for row in range(0, rows, band):
                height = min(band, rows - row)
                for column in range(0, columns, piece):
                    width = min(piece, columns - column)
                    values = np.fromfile(file, dtype, height * width)
                    if values.size < height * width:
                        raise self._cut_off(rows * columns * dtype.itemsize)
                    yield Block(row, column, values.reshape(height, width))

    def _cut_off(self, needed: int) -> BadDataError:
        found = max(0, self.path.stat().st_size - self.hdu.data_offset)
        return BadDataError(
            f"{hdu_label(self.hdu)}: the image needs {needed:,} bytes of data, the file has {found:,} of them"
        )
