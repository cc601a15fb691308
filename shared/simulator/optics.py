"""From the sky to the focal plane: gnomonic projection, stars by their PSF, galaxies."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.simulator.fields import FIELD_DEGREES, FILTERS, Galaxy, Stars

__all__ = ["Pointing", "paint_galaxy", "paint_stars"]

Floats = NDArray[np.floating]
MOFFAT_BETA = 3.0
EDGE_ON = 0.3


@dataclass(frozen=True, slots=True)
class Pointing:
    """A TAN projection (Calabretta and Greisen 2002): centre and rotation in degrees, image shape (rows, columns)."""

    ra: float
    dec: float
    rotation: float
    shape: tuple[int, int]

    @property
    def scale(self) -> float:
        """Degrees per pixel."""
        return FIELD_DEGREES / max(self.shape)

    @property
    def reference_pixel(self) -> tuple[float, float]:
        """CRPIX1 and CRPIX2: the middle of the image."""
        return (self.shape[1] + 1) / 2, (self.shape[0] + 1) / 2

    @property
    def matrix(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The CD matrix: north nearly up, east left."""
        cos, sin = (
            self.scale * math.cos(math.radians(self.rotation)),
            self.scale * math.sin(math.radians(self.rotation)),
        )
        return (-cos, sin), (sin, cos)

    def pixels(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """Return FITS pixel coordinates (1-based) of positions in degrees."""
        delta, lat, lat0 = np.radians(ra - self.ra), np.radians(dec), math.radians(self.dec)
        depth = math.sin(lat0) * np.sin(lat) + math.cos(lat0) * np.cos(lat) * np.cos(delta)
        xi = np.degrees(np.cos(lat) * np.sin(delta) / depth)
        eta = np.degrees((math.cos(lat0) * np.sin(lat) - math.sin(lat0) * np.cos(lat) * np.cos(delta)) / depth)
        (a, b), (c, d) = self.matrix
        determinant = a * d - b * c
        x0, y0 = self.reference_pixel
        return x0 + (d * xi - b * eta) / determinant, y0 + (a * eta - c * xi) / determinant


def paint_stars(image: Floats, x: Floats, y: Floats, flux: Floats, fwhm: float, defocus: float = 0.0) -> None:
    """Add stars to an image: FITS pixel positions, total fluxes, Moffat profiles of that FWHM in pixels.

    ``defocus`` is the radius in pixels of the ring that an obstructed pupil makes out of focus.
    """
    rows, columns = image.shape
    alpha = fwhm / (2 * math.sqrt(2 ** (1 / MOFFAT_BETA) - 1))
    reach = np.clip(2.0 * fwhm * (flux / 30.0) ** (1 / 6) + defocus, 3, 60).astype(int)
    for x_star, y_star, total, radius in zip((x - 1).tolist(), (y - 1).tolist(), flux, reach.tolist(), strict=True):
        left, right = max(0, round(x_star) - radius), min(columns, round(x_star) + radius + 1)
        bottom, top = max(0, round(y_star) - radius), min(rows, round(y_star) + radius + 1)
        if left >= right or bottom >= top:
            continue
        squared = (np.arange(left, right) - x_star) ** 2 + (np.arange(bottom, top)[:, np.newaxis] - y_star) ** 2
        if defocus:
            profile = np.exp(-0.5 * ((np.sqrt(squared) - 0.75 * defocus) / (0.22 * defocus + 0.3)) ** 2)
            profile *= total / (2 * math.pi * 0.75 * defocus * math.sqrt(2 * math.pi) * (0.22 * defocus + 0.3))
        else:
            profile = (1 + squared / alpha**2) ** -MOFFAT_BETA
            profile *= total * (MOFFAT_BETA - 1) / (math.pi * alpha**2)
        image[bottom:top, left:right] += profile


def star_magnitudes(stars: Stars, filter_name: str) -> Floats:
    """Return the stars' magnitudes in a filter."""
    return np.asarray(stars.magnitude + FILTERS.get(filter_name, 0.0) * stars.color)


def paint_galaxy(
    image: Floats, galaxy: Galaxy, x: float, y: float, pointing: Pointing, flux: float, filter_name: str
) -> None:
    """Add a galaxy of that total flux at a FITS pixel position: an exponential disc with arms and knots, and a bulge.

    Arms stand out more, and the bulge less, the bluer the filter.
    """
    rows, columns = image.shape
    scale, ratio = galaxy.scale / 3600.0 / pointing.scale, galaxy.axis_ratio
    angle = math.radians(galaxy.position_angle + 90.0 + pointing.rotation)
    dx, dy = np.arange(columns) - (x - 1), np.arange(rows)[:, np.newaxis] - (y - 1)
    along = (dx * math.cos(angle) + dy * math.sin(angle)) / scale
    across = (dy * math.cos(angle) - dx * math.sin(angle)) / scale
    radius = np.hypot(along, across / max(ratio, 0.12)) + 1e-3
    turn = np.arctan2(across / max(ratio, 0.12), along) - np.log(radius) / math.tan(math.radians(galaxy.pitch))
    blueness = 0.55 + 0.25 * FILTERS.get(filter_name, 0.0)
    clumps = _clumps(dx / scale, dy[:, 0] / scale, galaxy.position_angle)
    arms = np.exp(1.9 * (np.cos(galaxy.arms * turn + 0.2 * clumps) - 1.0)) * (1.0 - np.exp(-((radius / 0.6) ** 2)))
    disc = np.exp(-radius) * (1.0 - 0.55 * blueness + 2.6 * blueness * arms * np.exp(0.4 * clumps))
    if ratio < EDGE_ON:
        disc *= 1.0 - 0.75 * np.exp(-((across / 0.045) ** 2) - (along / 2.5) ** 2)
    bulge = 3.2 * (1.3 - blueness) * np.exp(-5.5 * np.hypot(along, across / (0.5 + 0.5 * ratio)))
    image += flux * (disc + bulge) / (2 * math.pi * scale**2 * max(ratio, 0.12) * 1.4)


def _clumps(x: Floats, y: Floats, seed: float) -> Floats:
    """Return a random field of mean 0 and deviation 1, a sum of standing waves."""
    generator = np.random.default_rng(int(seed))
    count = 120
    waves = generator.normal(0.0, 7.0, (2, count, 1)), generator.uniform(0, 2 * math.pi, (2, count, 1))
    across, along = np.cos(waves[0][0] * x + waves[1][0]), np.cos(waves[0][1] * y + waves[1][1])
    return np.asarray(along.T @ across * (2.0 / math.sqrt(count)))
