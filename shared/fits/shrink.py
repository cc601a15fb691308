"""One pass over an image: its mean, the percentiles for the grey scale, and a smaller image by averaging."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.fits.levels import Levels
from shared.fits.pixels import Block, PixelSource, Scaling, Values

__all__ = ["Section", "Shrunk", "shrink"]

Floats = NDArray[np.floating]

SIDE = 1024
"""Pixels on a side that averaging leaves at least, as many as a large preview shows; it leaves less than twice that."""

FEW = 64
"""Values in a box up to which adding slices is faster than ``reduceat``."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an image, 0-based, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    def within(self, block: Block) -> tuple[slice, slice]:
        """Return the part of a block that is in the section."""
        top, left = max(0, self.top - block.row), max(0, self.left - block.column)
        return slice(top, max(top, self.bottom - block.row)), slice(left, max(left, self.right - block.column))


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A trimmed image in physical values, box-averaged to less than 2048 pixels a side.

    ``values`` has row 1 of the image first and NaN where no pixel has a value. ``shape`` is that of the trimmed
    image before averaging; ``low`` and ``high`` are the 5 % and 95 % percentiles, NaN if there is no value at all.
    ``mean`` is that of all planes, untrimmed.
    """

    values: Floats
    shape: tuple[int, int]
    low: float
    high: float
    mean: float | None


def shrink(source: PixelSource, scaling: Scaling, section: Section, lit: Section | None = None) -> Shrunk:
    """Read all pixels once; the percentiles are those of ``lit``, by default of the whole section.

    Percentiles are exact up to 64 Mpixel of 8 or 16 bit integers, 16 Mpixel in single precision and 8 in double (to
    which larger integers are taken); larger images are sampled evenly over the whole section.

    Raises
    ------
    BadDataError
        If the pixels cannot be read.
    """
    lit = lit or section
    mean, levels, boxes = _Mean(), Levels(lit.shape), _Boxes(section.shape)
    rows = source.shape[0]
    with np.errstate(all="ignore"):
        for block in source.blocks():
            values, valid = _working(block.values, scaling.blank)
            mean.add(values, valid)
            if block.row >= rows:
                continue
            inner = lit.within(block)
            if values[inner].size:
                levels.add(values[inner], None if valid is None else valid[inner])
            part = section.within(block)
            if values[part].size:
                row, column = block.row + part[0].start - section.top, block.column + part[1].start - section.left
                boxes.add(row, column, values[part], None if valid is None else valid[part])
        low, high = sorted(level * scaling.scale + scaling.zero for level in levels.percentiles())
        average = mean.value() * scaling.scale + scaling.zero
        image = boxes.averages() * scaling.scale + scaling.zero
    return Shrunk(image, section.shape, low, high, average if math.isfinite(average) else None)


def _working(stored: Values, blank: int | None) -> tuple[Values, NDArray[np.bool_] | None]:
    """Make the values native, and tell which are values at all; None means all of them."""
    values = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    if values.dtype.kind == "f":
        valid = np.isfinite(values)
    else:
        valid = np.ones((), np.bool_) if blank is None else np.asarray(values != blank)
        if values.dtype.itemsize > 2:
            values = values.astype(np.float64)
    return values, None if valid.all() else valid


class _Mean:
    """A running mean."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def add(self, values: Values, valid: NDArray[np.bool_] | None) -> None:
        where = True if valid is None else valid
        exact = np.int64 if values.dtype.kind in "iu" else np.float64
        self._sum += float(values.sum(dtype=exact, where=where))
        self._count += values.size if valid is None else int(np.count_nonzero(valid))

    def value(self) -> float:
        return self._sum / self._count if self._count else math.nan


class _Boxes:
    """Sums over boxes of pixels."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._factors = tuple(max(1, length // SIDE) for length in shape)
        self._shape = tuple(math.ceil(length / factor) for length, factor in zip(shape, self._factors, strict=True))
        self._full = shape
        self._sums: Floats | None = None
        self._missing: Floats | None = None

    def add(self, row: int, column: int, values: Values, valid: NDArray[np.bool_] | None) -> None:
        if self._sums is None:
            self._sums = np.zeros(self._shape, np.float64 if values.dtype.itemsize > 4 else np.float32)
        self._fold(self._sums, row, column, values if valid is None else np.where(valid, values, values.dtype.type(0)))
        if valid is not None:
            if self._missing is None:
                self._missing = np.zeros(self._shape, np.float32)
            self._fold(self._missing, row, column, ~valid)

    def _fold(self, into: Floats, row: int, column: int, values: Values) -> None:
        first_row, values = _box_sums(values, row, self._factors[0], 0, into.dtype)
        first_column, values = _box_sums(values, column, self._factors[1], 1, into.dtype)
        height, width = values.shape
        into[first_row : first_row + height, first_column : first_column + width] += values

    def averages(self) -> Floats:
        if self._sums is None:
            return np.full((1, 1), np.nan)
        heights, widths = (
            np.minimum(factor, length - factor * np.arange(boxes))
            for factor, length, boxes in zip(self._factors, self._full, self._shape, strict=True)
        )
        if self._missing is None:
            return self._sums / heights[:, np.newaxis].astype(self._sums.dtype) / widths.astype(self._sums.dtype)
        counts = np.outer(heights, widths) - self._missing
        return np.where(counts > 0, self._sums / counts, np.nan)


def _box_sums(values: Values, start: int, factor: int, axis: int, dtype: np.dtype[np.floating]) -> tuple[int, Values]:
    """Sum runs of ``factor`` values along an axis; ``start`` is the place of the first value in the section."""
    if factor == 1:
        return start, values
    if factor > FEW:
        first = start // factor
        edges = np.arange(first * factor, start + values.shape[axis], factor) - start
        edges[0] = 0
        return first, np.add.reduceat(values, edges, axis=axis, dtype=dtype)
    lead = start % factor
    turned = np.moveaxis(values, axis, 0)
    sums = np.zeros((-(-(lead + len(turned)) // factor), *turned.shape[1:]), dtype)
    for first in range(min(factor, len(turned))):
        part = turned[first::factor]
        place = (lead + first) // factor
        sums[place : place + len(part)] += part
    return start // factor, np.moveaxis(sums, 0, axis)
