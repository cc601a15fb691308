"""The camera: what it adds to light, and what is left of it in a raw frame."""

import math
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Camera"]

Floats = NDArray[np.floating]
SATURATION = 65535
DARK_CURRENT = 0.05
"""Electrons per second and pixel."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A CCD of that many light-sensitive rows and columns, read through one amplifier, with overscan columns.

    ``gain`` in electrons per ADU, ``read_noise`` in electrons, ``bias_level`` in ADU.
    """

    name: str
    shape: tuple[int, int]
    overscan: int
    gain: float = 1.4
    read_noise: float = 7.5
    bias_level: float = 1180.0

    def expose(
        self, light: Floats | None, filter_name: str, seconds: float, generator: np.random.Generator
    ) -> NDArray[np.uint16]:
        """Return a raw frame with overscan from the light's electrons in each pixel (None: shutter closed)."""
        rows, columns = self.shape
        electrons = _dark_pattern(self.name, self.shape) * seconds
        if light is not None:
            electrons += light * _response(self.name, self.shape, filter_name)
        collected = np.zeros((rows, columns + self.overscan))
        collected[:, :columns] = generator.normal(electrons, np.sqrt(electrons + 1e-9))
        self._cosmics(collected[:, :columns], seconds, generator)
        collected += generator.normal(0.0, self.read_noise, collected.shape)
        level = self.bias_level + 6.0 * np.exp(-np.arange(rows) / (0.06 * rows))[:, np.newaxis]
        level = level + generator.normal(0.0, 0.4) + 1.2 * np.sin(np.arange(columns + self.overscan) / 23.0)
        return np.clip(np.rint(collected / self.gain + level), 0, SATURATION).astype(np.uint16)

    def _cosmics(self, electrons: Floats, seconds: float, generator: np.random.Generator) -> None:
        """Add tracks of cosmic ray muons, two a minute over the whole chip."""
        rows, columns = self.shape
        for _ in range(generator.poisson(seconds / 30.0)):
            length, angle = generator.exponential(max(rows, columns) / 100.0) + 1.0, generator.uniform(0, 2 * math.pi)
            steps = np.arange(0, length, 0.5)
            x = (generator.uniform(0, columns) + steps * math.cos(angle)).astype(int)
            y = (generator.uniform(0, rows) + steps * math.sin(angle)).astype(int)
            inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
            electrons[y[inside], x[inside]] += generator.gamma(2.0, 900.0)


@lru_cache(maxsize=6)
def _response(name: str, shape: tuple[int, int], filter_name: str) -> Floats:
    """Return the flat field, near 1: vignetting, dust out of focus, and the pixels' own sensitivities."""
    rows, columns = shape
    fixed = np.random.default_rng([zlib.crc32(name.encode()), zlib.crc32(filter_name.encode())])
    y, x = np.linspace(-1, 1, rows)[:, np.newaxis], np.linspace(-1, 1, columns)
    field = 1.03 - 0.09 * ((x + 0.08) ** 2 + (y - 0.05) ** 2)
    for _ in range(7):
        where, radius = fixed.uniform(-1, 1, 2), fixed.uniform(0.03, 0.09)
        distance = np.hypot(x - where[0], y - where[1])
        field = field - fixed.uniform(0.01, 0.04) * np.exp(-0.5 * ((distance - radius) / (0.25 * radius)) ** 2)
    pixels = np.random.default_rng(zlib.crc32(name.encode())).normal(1.0, 0.006, shape)
    return _frozen(field * pixels)


@lru_cache(maxsize=2)
def _dark_pattern(name: str, shape: tuple[int, int]) -> Floats:
    """Return the dark current in electrons per second: hot pixels and a glow in a corner."""
    rows, columns = shape
    fixed = np.random.default_rng(zlib.crc32(b"dark" + name.encode()))
    pattern = np.full(shape, DARK_CURRENT)
    y, x = np.linspace(0, 1, rows)[:, np.newaxis], np.linspace(0, 1, columns)
    pattern += 0.2 * np.exp(-9.0 * np.hypot(x, 1.0 - y))
    hot = max(1, rows * columns // 1500)
    pattern[fixed.integers(0, rows, hot), fixed.integers(0, columns, hot)] += fixed.lognormal(0.0, 1.2, hot)
    return _frozen(pattern)


def _frozen(array: Floats) -> Floats:
    array.flags.writeable = False
    return array
