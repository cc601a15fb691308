"""Cells of the sky, put together to as many marks of a map as it has room for. Pure functions.

Bands of zones are cut into tiles of about the same width, with whole numbers alone, so that a database can do it, too.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from shared.index.sky import HEIGHT, STRIDE, ZONES, cells_in

__all__ = ["COARSEST", "SkyMark", "Tile", "marks_of", "tiles_in"]

_HEIGHTS = (1, 3, 15, 30, 60, 150)
COARSEST = _HEIGHTS[-1]
"""Zones of a band, 5 degrees, of which some 1,700 tiles cover the sky."""

_MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class SkyMark:
    """Frames around a place: degrees, and the radius in arcmin of a cone that has all of them in it."""

    ra: float
    dec: float
    count: int
    radius: float


@dataclass(slots=True)
class Tile:
    """Sums over frames, and limits of their cells: turns of right ascension from 0 to 1, zones of declination."""

    frames: int = 0
    turns: float = 0.0
    zones: float = 0.0
    west: float = 1.0
    east: float = 0.0
    south: int = ZONES
    north: int = 0

    def add(self, frames: int, zone: int, west: float, east: float) -> None:
        """Add the frames of a cell; a negative number of them takes some away, and leaves the limits."""
        self.frames += frames
        self.turns += frames * (west + east) / 2.0
        self.zones += frames * (zone + 0.5)
        self.west, self.east = min(self.west, west), max(self.east, east)
        self.south, self.north = min(self.south, zone), max(self.north, zone)

    def mark(self) -> SkyMark:
        """Return the mean position by the centres of cells, with a radius to their far corners."""
        turns = min(max(self.turns / self.frames, self.west), self.east)
        dec = min(max(self.zones / self.frames, self.south), self.north + 1.0) * HEIGHT - 90.0
        south, north = self.south * HEIGHT - 90.0, (self.north + 1) * HEIGHT - 90.0
        across = min(360.0 * max(turns - self.west, self.east - turns), 180.0)
        along = max(dec - south, north - dec)
        nearest = 0.0 if south <= 0.0 <= north else min(abs(south), abs(north))
        # The haversine of an angle is that of the declinations' difference and no more than this of right ascension's.
        haversine = math.sin(math.radians(along) / 2.0) ** 2 + math.cos(math.radians(dec)) * math.cos(
            math.radians(nearest)
        ) * (math.sin(math.radians(across) / 2.0) ** 2)
        radius = 60.0 * math.degrees(2.0 * math.asin(math.sqrt(min(haversine, 1.0)))) + _MARGIN
        return SkyMark(round(360.0 * turns, 5) % 360.0, round(dec, 5), self.frames, math.ceil(100.0 * radius) / 100.0)


@cache
def tiles_in(band: int, height: int) -> int:
    """Return into how many tiles a band of so many zones is cut."""
    return max(1, round(cells_in(min(band * height + height // 2, ZONES - 1)) / height))


@cache
def _cells(zone: int) -> int:
    return cells_in(zone)


def marks_of(cells: Iterable[tuple[int, int]], most: int) -> tuple[SkyMark, ...]:
    """Return cells with their numbers of frames as marks, as finely as no more than ``most`` can tell."""
    spread = [(*divmod(cell, STRIDE), frames) for cell, frames in cells if frames]
    for height in _HEIGHTS:
        tiles: dict[tuple[int, int], Tile] = {}
        for zone, place, frames in spread:
            cells_there, band = _cells(zone), zone // height
            key = band, place * tiles_in(band, height) // cells_there
            if key not in tiles:
                tiles[key] = Tile()
            tiles[key].add(frames, zone, place / cells_there, (place + 1) / cells_there)
            if len(tiles) > most and height != COARSEST:
                break
        else:
            return tuple(tiles[key].mark() for key in sorted(tiles) if tiles[key].frames > 0)
    return ()
