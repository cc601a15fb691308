"""The percentiles that an image's grey scale is stretched between."""

import math

import numpy as np
from numpy.typing import NDArray

from shared.fits.pixels import Values

__all__ = ["SAMPLE_BYTES", "Levels"]

SAMPLE_BYTES = 2**26
"""Memory for the pixels that percentiles are taken from: 16 Mpixel in single precision, 8 in double.

Pixels of 8 and 16 bit are counted in a histogram, up to 64 million of them.
"""


class Levels:
    """What the 5 % and 95 % percentiles are taken from: a histogram of small integers, else an even sample.

    Parameters
    ----------
    shape
        Rows and columns of all that will be added.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._pixels, self._columns = math.prod(shape), shape[1]
        self._histogram: NDArray[np.int64] | None = None
        self._lowest = 0
        self._sample: Values | None = None
        self._picked = 0
        self._step = 0
        self._phase = 0

    def add(self, values: Values, valid: NDArray[np.bool_] | None) -> None:
        """Take in native values; ``valid`` tells which are values at all, None means all."""
        small = values.dtype.kind in "iu"
        if not self._step:
            self._step = _sample_step(self._pixels, self._columns, SAMPLE_BYTES // (1 if small else values.itemsize))
        picked = values.reshape(-1)[self._phase :: self._step]
        if valid is not None:
            picked = picked[valid.reshape(-1)[self._phase :: self._step]]
        self._phase = (self._phase - values.size) % self._step
        if small:
            self._count(picked)
        else:
            self._keep(picked)

    def _count(self, values: Values) -> None:
        limits = np.iinfo(values.dtype)
        if self._histogram is None:
            self._lowest = int(limits.min)
            self._histogram = np.zeros(int(limits.max) - self._lowest + 1, np.int64)
        self._histogram += np.bincount(values.astype(np.int32) - self._lowest, minlength=self._histogram.size)

    def _keep(self, values: Values) -> None:
        if self._sample is None:
            self._sample = np.empty(-(-self._pixels // self._step), values.dtype)
        self._sample[self._picked : self._picked + values.size] = values
        self._picked += values.size

    def percentiles(self) -> tuple[float, float]:
        """Return the levels, those of the extremes if the percentiles are one value, NaN if there is none."""
        ranks = _ranks_of_histogram(self._histogram, self._lowest) if self._histogram is not None else self._sorted()
        if ranks is None:
            return math.nan, math.nan
        lowest, low, high, highest = ranks
        return (low, high) if high > low else (lowest, highest)

    def _sorted(self) -> tuple[float, float, float, float] | None:
        if self._sample is None or not self._picked:
            return None
        sample = self._sample[: self._picked]
        lowest, highest = float(sample.min()), float(sample.max())
        low, high = np.percentile(sample, (5.0, 95.0), overwrite_input=True)
        return lowest, float(low), float(high), highest


def _sample_step(pixels: int, columns: int, most: int) -> int:
    """Return a step through the pixels that is odd and shares no divisor with the row length.

    Any other would meet the same columns, or the same colour of a Bayer mask, again and again.
    """
    step = math.ceil(pixels / most)
    while step > 1 and (step % 2 == 0 or math.gcd(step, columns) > 1):
        step += 1
    return step


def _ranks_of_histogram(histogram: NDArray[np.int64], lowest: int) -> tuple[float, float, float, float] | None:
    """Return minimum, percentiles (interpolated linearly between ranks, as numpy does) and maximum."""
    cumulative = np.cumsum(histogram)
    total = int(cumulative[-1])
    if not total:
        return None

    def value(rank: float) -> float:
        first, second = (int(np.searchsorted(cumulative, math.floor(r), "right")) for r in (rank, rank + 1))
        if math.floor(rank) + 1 >= total:
            return float(first + lowest)
        return lowest + first + (second - first) * (rank - math.floor(rank))

    return value(0), value(0.05 * (total - 1)), value(0.95 * (total - 1)), value(total - 1)
