"""Cells of the sky, some 2 arcmin wide and high, in which frames are counted. Pure functions of angles in degrees.

Declination zones are cut into cells of about the same width, so that a cell's number is that of its zone times
`STRIDE` and that of its place in right ascension. Of a search by position most cells lie wholly within: their frames
are counted together, and only those in cells on its edge are looked at one by one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from shared.index.cone import Cone

__all__ = ["HEIGHT", "STRIDE", "ZONES", "Cover", "cells_in", "cover", "sky_cell"]

HEIGHT = 1.0 / 30.0
"""Degrees of a zone in declination."""

ZONES = 5400
STRIDE = 16384
"""From the number of a zone's first cell to that of the next zone's."""

_MARGIN = 1e-9


@dataclass(frozen=True, slots=True)
class Cover:
    """Cells wholly within a cone, and those on its edge.

    ``ranges`` are the first and the last of cells that follow each other, all of both together, ascending.
    """

    within: frozenset[int]
    edge: frozenset[int]
    ranges: tuple[tuple[int, int], ...]


def sky_cell(ra: float, dec: float) -> int:
    """Return the cell of a position."""
    zone = _zone(dec)
    cells = cells_in(zone)
    return zone * STRIDE + min(math.floor((ra % 360.0) / 360.0 * cells), cells - 1)


def cover(cone: Cone) -> Cover:
    """Return the cells that a cone touches."""
    within: set[int] = set()
    edge: set[int] = set()
    ranges: list[tuple[int, int]] = []
    for zone in range(_zone(cone.dec - cone.radius - _MARGIN), _zone(cone.dec + cone.radius + _MARGIN) + 1):
        south, north = _limits(zone)
        outer = _outer(cone, south, north)
        inner = min(_half_width(cone, south), _half_width(cone, north)) - _MARGIN
        touched = {zone * STRIDE + place for place in _places(cone.ra, outer, zone, whole=False)}
        inside = {zone * STRIDE + place for place in _places(cone.ra, inner, zone, whole=True)}
        if zone == _zone(cone.dec):
            touched.add(sky_cell(cone.ra, cone.dec))
        within |= inside
        edge |= touched - inside
        ranges += _runs(sorted(touched | inside))
    return Cover(frozenset(within), frozenset(edge), tuple(ranges))


def _runs(cells: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of ascending numbers that follow each other."""
    begin = 0
    for index, cell in enumerate(cells):
        if index + 1 == len(cells) or cells[index + 1] != cell + 1:
            yield cells[begin], cell
            begin = index + 1


def _zone(dec: float) -> int:
    return min(max(math.floor((dec + 90.0) / HEIGHT), 0), ZONES - 1)


def _limits(zone: int) -> tuple[float, float]:
    south = -90.0 + zone * HEIGHT
    return south - _MARGIN, south + HEIGHT + _MARGIN


def cells_in(zone: int) -> int:
    """Return how many cells a zone has: by its length at the side that is nearer to the equator."""
    south, north = _limits(zone)
    nearest = 0.0 if south <= 0.0 <= north else min(abs(south), abs(north))
    return max(1, math.ceil(360.0 * math.cos(math.radians(nearest)) / HEIGHT))


def _half_width(cone: Cone, dec: float) -> float:
    """Return how far in right ascension a cone reaches at a declination: -1 for not at all, 180 for all around."""
    if abs(dec) >= 90.0:
        return 180.0 if abs(cone.dec - math.copysign(90.0, dec)) <= cone.radius else -1.0
    # By half angles: the cosine of a small radius, or of one near a pole, is too near to 1.
    offset, radius = math.radians(dec - cone.dec), math.radians(cone.radius)
    left = math.sin(radius / 2.0) ** 2 - math.sin(offset / 2.0) ** 2
    scale = math.cos(math.radians(dec)) * math.cos(math.radians(cone.dec))
    if left < 0.0:
        return -1.0
    if left >= scale:
        return 180.0
    return 2.0 * math.degrees(math.asin(math.sqrt(left / scale)))


def _outer(cone: Cone, south: float, north: float) -> float:
    """Return the largest half width between two declinations, with a margin."""
    candidates = [_half_width(cone, south), _half_width(cone, north)]
    sine = math.sin(math.radians(cone.dec)) / max(math.cos(math.radians(cone.radius)), 1e-15)
    if abs(sine) <= 1.0 and south <= (widest := math.degrees(math.asin(sine))) <= north:
        candidates.append(_half_width(cone, widest))
    if south <= cone.dec <= north:
        candidates.append(_half_width(cone, cone.dec))
    if abs(sine) > 1.0 and max(candidates) >= 0.0:
        candidates.append(180.0)
    return max(candidates) + 1e-6


def _places(ra: float, half: float, zone: int, *, whole: bool) -> set[int] | range:
    """Return the places of cells that a range of right ascension touches, or with ``whole`` has in it."""
    cells = cells_in(zone)
    if half < 0.0:
        return range(0)
    width = 360.0 / cells
    west, east = (ra - half) / width, (ra + half) / width
    first = math.ceil(west) if whole else math.floor(west)
    last = math.floor(east) - 1 if whole else math.floor(east)
    if half >= 180.0 or last - first + 1 >= cells:
        return range(cells)
    return {place % cells for place in range(first, last + 1)}
