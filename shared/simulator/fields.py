"""Fields of the real sky, with invented stars in plausible numbers, magnitudes and colours."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIELDS", "FIELD_DEGREES", "FILTERS", "Field", "Galaxy", "Stars", "field_named", "stars_of"]

Floats = NDArray[np.floating]

FIELD_DEGREES = 10.24 / 60.0
"""Width of the camera's field."""

FILTERS = {"B": 1.0, "V": 0.0, "R": -0.6}
"""Filters, and how many times B-V is added to the V magnitude to get the magnitude in each."""

FAINTEST = 21.5
SLOPE = 0.32
"""Stars become 10**0.32 times as many with each magnitude, as at moderate galactic latitudes."""


@dataclass(frozen=True, slots=True)
class Galaxy:
    """A spiral: V magnitude, scale length in arcsec, axis ratio, position angle in deg (north over east), arms."""

    magnitude: float
    scale: float
    axis_ratio: float
    position_angle: float
    arms: int = 2
    pitch: float = 17.0


@dataclass(frozen=True, slots=True)
class Field:
    """A target: ICRS position in degrees, field stars, cluster stars with their core radius in arcsec, a galaxy."""

    name: str
    ra: float
    dec: float
    stars: int = 350
    cluster: int = 0
    core: float = 60.0
    galaxy: Galaxy | None = None


@dataclass(frozen=True, slots=True)
class Stars:
    """Positions in degrees, V magnitudes and B-V colours."""

    ra: Floats
    dec: Floats
    magnitude: Floats
    color: Floats


FIELDS = (
    Field("M 51", 202.4696, 47.1952, galaxy=Galaxy(8.4, 52.0, 0.85, 163.0)),
    Field("M 67", 132.8460, 11.8140, stars=500, cluster=450, core=260.0),
    Field("NGC 6946", 308.7180, 60.1539, stars=1400, galaxy=Galaxy(8.8, 75.0, 0.86, 52.0, arms=4, pitch=22.0)),
    Field("M 13", 250.4235, 36.4613, stars=400, cluster=3500, core=45.0),
    Field("M 74", 24.1739, 15.7836, galaxy=Galaxy(9.4, 55.0, 0.93, 25.0)),
    Field("NGC 7331", 339.2667, 34.4156, stars=500, galaxy=Galaxy(9.5, 50.0, 0.36, 169.0)),
    Field("NGC 891", 35.6392, 42.3492, stars=700, galaxy=Galaxy(9.9, 65.0, 0.16, 23.0)),
    Field("M 101", 210.8024, 54.3488, galaxy=Galaxy(7.9, 110.0, 0.95, 39.0, arms=3)),
    Field("NGC 7789", 359.3500, 56.7080, stars=1500, cluster=900, core=300.0),
    Field("M 3", 205.5484, 28.3773, stars=250, cluster=3000, core=30.0),
    Field("M 46", 115.4450, -14.8100, stars=1500, cluster=400, core=350.0),
    Field("NGC 300", 13.7228, -37.6844, galaxy=Galaxy(8.1, 120.0, 0.71, 111.0)),
    Field("47 Tuc", 6.0236, -72.0813, stars=500, cluster=4500, core=40.0),
    Field("NGC 4755", 193.4150, -60.3710, stars=2000, cluster=250, core=120.0),
)


def field_named(name: str, ra: float | None = None, dec: float | None = None) -> Field:
    """Return the known field of that name, else a star field at the position (or one that the name decides)."""
    known = next((field for field in FIELDS if field.name == name), None)
    if known is not None:
        return known
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    anywhere = float(generator.uniform(0, 360)), float(generator.uniform(-10, 60))
    return Field(name, anywhere[0] if ra is None else ra, anywhere[1] if dec is None else dec)


def stars_of(field: Field) -> Stars:
    """Return the field's stars, the same at every call, over somewhat more than the camera's field."""
    generator = np.random.default_rng(zlib.crc32(field.name.encode()))
    span = 1.2 * FIELD_DEGREES
    x = generator.uniform(-span / 2, span / 2, field.stars)
    y = generator.uniform(-span / 2, span / 2, field.stars)
    magnitude = np.maximum(FAINTEST + np.log10(generator.uniform(1e-9, 1, field.stars)) / SLOPE, 8.5)
    color = np.clip(generator.normal(0.8, 0.35, field.stars), -0.3, 2.0)
    if field.cluster:
        radius = field.core / 3600.0 * np.sqrt(generator.uniform(0, 1, field.cluster) ** -1.2 - 1.0)
        angle = generator.uniform(0, 2 * np.pi, field.cluster)
        members = 12.0 + 9.0 * generator.beta(2.2, 1.1, field.cluster)
        x, y = np.append(x, radius * np.cos(angle)), np.append(y, radius * np.sin(angle))
        magnitude = np.append(magnitude, members)
        color = np.append(
            color, np.clip(0.1 + 0.09 * (members - 12.0) + generator.normal(0, 0.1, field.cluster), -0.2, 2)
        )
    near = np.hypot(x, y) < span
    dec = field.dec + y[near]
    ra = (field.ra + x[near] / np.cos(np.radians(dec))) % 360.0
    return Stars(ra, dec, magnitude[near], color[near])
