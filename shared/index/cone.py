"""Geometry of the search by position: pure functions of angles in degrees.

Frames are filed by declination zone (J. Gray, M. A. Nieto-Santisteban and A. S. Szalay, "The Zones Algorithm for
Finding Points-Near-a-Point", 2006): zones and a range of right ascension, for which an ordinary index serves, narrow
the search down; the squared distance of unit vectors decides. That distance is exact for the smallest angles, where
the cosine is not.
"""

import math
from dataclasses import dataclass

__all__ = ["ZONE_HEIGHT", "Bounds", "Cone", "Vector", "bounds", "chord_squared", "unit_vector", "zone"]

ZONE_HEIGHT = 0.5
"""Height of a declination zone in degrees: a search of 10 arcmin meets one or two of the 360."""

_MARGIN = 1e-9

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Cone:
    """All positions within ``radius`` of (``ra``, ``dec``); degrees, ra in [0, 360), radius in [0, 180]."""

    ra: float
    dec: float
    radius: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the positions of a cone may lie: zones, both inclusive, and ranges of right ascension in degrees.

    ``ra_ranges`` is empty where every right ascension is possible.
    """

    first_zone: int
    last_zone: int
    ra_ranges: tuple[tuple[float, float], ...]


def unit_vector(ra: float, dec: float) -> Vector:
    """Return the direction as a unit vector."""
    alpha, delta = math.radians(ra), math.radians(dec)
    return (math.cos(delta) * math.cos(alpha), math.cos(delta) * math.sin(alpha), math.sin(delta))


def zone(dec: float) -> int:
    """Return the declination zone, from 0 at the south pole."""
    last = math.ceil(180.0 / ZONE_HEIGHT) - 1
    return min(max(math.floor((dec + 90.0) / ZONE_HEIGHT), 0), last)


def chord_squared(angle: float) -> float:
    """Return the squared distance of two unit vectors that are `angle` apart."""
    return 4.0 * math.sin(math.radians(angle) / 2.0) ** 2


def bounds(cone: Cone) -> Bounds:
    """Return where the positions of a cone may lie; never too narrow."""
    south, north = cone.dec - cone.radius - _MARGIN, cone.dec + cone.radius + _MARGIN
    return Bounds(zone(south), zone(north), _ra_ranges(cone, holds_pole=south <= -90.0 or north >= 90.0))


def _ra_ranges(cone: Cone, *, holds_pole: bool) -> tuple[tuple[float, float], ...]:
    if holds_pole:
        return ()
    ratio = math.sin(math.radians(cone.radius)) / math.cos(math.radians(cone.dec))
    half = math.degrees(math.asin(min(ratio, 1.0))) * (1.0 + _MARGIN) + _MARGIN
    west, east = cone.ra - half, cone.ra + half
    if west < 0.0:
        return ((0.0, east), (west + 360.0, 360.0))
    if east >= 360.0:
        return ((0.0, east - 360.0), (west, 360.0))
    return ((west, east),)
