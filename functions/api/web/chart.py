"""The map of the sky: where frames are, as shapes on a plane. Pure; east is to the left, as on the sky."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from functions.api.web import wording

__all__ = ["Chart", "Label", "Position", "Projection", "Spot", "WholeSky", "ZoomedSky", "draw_chart"]

WIDTH, HEIGHT = 1000.0, 520.0
_MIDDLE = WIDTH / 2, HEIGHT / 2
_STEP = 5.0
_HALF_SKY = 180.0
_SMALLEST, _LARGEST = 4.0, 17.0
_ROUND = (1 / 60, 2 / 60, 5 / 60, 10 / 60, 20 / 60, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)

Point = tuple[float, float]


class Position(Protocol):
    """Frames at a place."""

    @property
    def ra(self) -> float:
        """Right ascension, deg."""

    @property
    def dec(self) -> float:
        """Declination, deg."""

    @property
    def radius(self) -> float:
        """The radius within which all of them are, arcmin."""

    @property
    def count(self) -> int:
        """How many there are."""


class Projection(Protocol):
    """From the sky to the plane of `WIDTH` by `HEIGHT`."""

    def point(self, ra: float, dec: float) -> Point | None:
        """Return where a position is, in degrees; None if it is not on the map."""

    def grid(self) -> list[list[Point]]:
        """Return the lines of the grid."""

    def labels(self) -> list["Label"]:
        """Return what is written beside the grid."""

    def outline(self) -> list[Point]:
        """Return the edge of the map."""

    def searched(self) -> list[Point]:
        """Return the edge of what was searched, if that is less than the map."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text on the map."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A circle on the map for a position."""

    x: float
    y: float
    size: float
    position: Position


@dataclass(frozen=True, slots=True)
class Chart:
    """The map: polylines as SVG writes their points, labels, spots, and outlines of frames."""

    outline: str
    searched: str
    grid: list[str]
    labels: list[Label]
    spots: list[Spot]
    footprints: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class WholeSky:
    """The whole sky in Hammer's equal-area projection, RA 12 h in the middle (Calabretta & Greisen 2002, 5.3.4)."""

    def point(self, ra: float, dec: float) -> Point | None:
        """Return where a position is."""
        half, delta = math.radians((ra % 360.0 - _HALF_SKY) / 2), math.radians(dec)
        gamma = math.sqrt(2.0 / (1.0 + math.cos(delta) * math.cos(half)))
        x, y = (
            gamma * math.cos(delta) * math.sin(half),
            gamma * math.sin(delta) / 2,
        )  # both within a circle of √2 by √2/2
        scale = (_MIDDLE[0] - 15.0) / math.sqrt(2.0)
        return _MIDDLE[0] - scale * x, _MIDDLE[1] - scale * y

    def grid(self) -> list[list[Point]]:
        """Return meridians of two hours, and parallels of 30 degrees."""
        lines = [[self._at(30.0 * hour, dec) for dec in _range(-90.0, 90.0)] for hour in range(1, 12)]
        return lines + [[self._at(ra, dec) for ra in _range(0.0, 359.999)] for dec in (-60.0, -30.0, 0.0, 30.0, 60.0)]

    def labels(self) -> list[Label]:
        """Return hours along the equator, and degrees along the middle."""
        hours = [(30.0 * hour, 0.0, f"{2 * hour} h") for hour in range(1, 12)]
        degrees = [(180.0, dec, f"{dec:+.0f}°") for dec in (-60.0, -30.0, 30.0, 60.0)]
        return [Label(*self._at(ra, dec), text) for ra, dec, text in (*hours, *degrees)]

    def outline(self) -> list[Point]:
        """Return the meridian of 0 h, which is on both sides."""
        return [self._at(0.0, dec) for dec in _range(-90.0, 90.0)] + [
            self._at(359.999, dec) for dec in _range(90.0, -90.0)
        ]

    def searched(self) -> list[Point]:
        """Return nothing: it is the whole sky."""
        return []

    def _at(self, ra: float, dec: float) -> Point:
        point = self.point(ra, dec)
        assert point is not None
        return point


@dataclass(frozen=True, slots=True)
class ZoomedSky:
    """The surroundings of a position, equidistant from it, in degrees: ``radius`` fits in, ``reach`` is searched."""

    ra: float
    dec: float
    radius: float
    reach: float = 0.0

    def point(self, ra: float, dec: float) -> Point | None:
        """Return where a position is; None if it is too far away."""
        east, north, away = self._offset(ra, dec)
        if away > 3 * self.radius:
            return None
        sine = math.hypot(east, north)
        scale = (_MIDDLE[1] - 30.0) / self.radius * (away / sine if sine else 0.0)
        return _MIDDLE[0] - scale * east, _MIDDLE[1] - scale * north

    def holding(self, positions: Iterable[Sequence[float]]) -> "ZoomedSky":
        """Return the same map, wide enough for other positions as well."""
        farthest = max((self._offset(ra, dec)[2] for ra, dec in positions), default=0.0)
        return replace(self, radius=max(self.radius, farthest))

    def grid(self) -> list[list[Point]]:
        """Return circles around the position, and the cross through it."""
        lines = [self._circle(step * self._step) for step in (1, 2, 3, 4)]
        x, y = _MIDDLE
        return [line for line in lines if line] + [[(0.0, y), (WIDTH, y)], [(x, 0.0), (x, HEIGHT)]]

    def labels(self) -> list[Label]:
        """Return how large the circles are, and the directions."""
        found = []
        for step in (1, 2, 3, 4):
            point = self.point(self.ra, self.dec + step * self._step) if self.dec + step * self._step < 90.0 else None
            if point is not None and point[1] > 20.0:
                found.append(Label(point[0] + 6, point[1] - 4, _angle(step * self._step)))
        return [*found, Label(_MIDDLE[0] + 6, 16.0, "N"), Label(10.0, _MIDDLE[1] - 6, "E")]

    def outline(self) -> list[Point]:
        """Return the frame of the map."""
        return [(0.0, 0.0), (WIDTH, 0.0), (WIDTH, HEIGHT), (0.0, HEIGHT), (0.0, 0.0)]

    def searched(self) -> list[Point]:
        """Return the circle that was searched."""
        return self._circle(self.reach) if self.reach else []

    def _offset(self, ra: float, dec: float) -> tuple[float, float, float]:
        """Return the direction to a position, east and north on the unit sphere, and its distance."""
        delta, middle, turn = math.radians(dec), math.radians(self.dec), math.radians(ra - self.ra)
        east = math.cos(delta) * math.sin(turn)
        north = math.sin(delta) * math.cos(middle) - math.cos(delta) * math.sin(middle) * math.cos(turn)
        near = math.sin(delta) * math.sin(middle) + math.cos(delta) * math.cos(middle) * math.cos(turn)
        return east, north, math.degrees(math.atan2(math.hypot(east, north), near))

    @property
    def _step(self) -> float:
        return max((step for step in _ROUND if step <= self.radius), default=self.radius)

    def _circle(self, degrees: float) -> list[Point]:
        scale = (_MIDDLE[1] - 30.0) / self.radius * degrees
        if scale > WIDTH:
            return []
        turns = [math.radians(turn) for turn in range(0, 361, 5)]
        return [(_MIDDLE[0] + scale * math.sin(turn), _MIDDLE[1] - scale * math.cos(turn)) for turn in turns]


def draw_chart(
    projection: Projection,
    positions: Iterable[Position],
    footprints: Iterable[tuple[int, Sequence[Sequence[float]]]] = (),
) -> Chart:
    """Draw positions, the larger the more frames are there, and outlines of frames by their ids."""
    found = list(positions)
    most = max((position.count for position in found), default=1)
    spots = [_spot(projection, position, most) for position in sorted(found, key=lambda one: -one.count)]
    shapes = [(frame_id, _shape(projection, corners)) for frame_id, corners in footprints]
    return Chart(
        outline=_written(projection.outline()),
        searched=_written(projection.searched()),
        grid=[_written(line) for line in projection.grid()],
        labels=projection.labels(),
        spots=[spot for spot in spots if spot is not None],
        footprints=[(frame_id, shape) for frame_id, shape in shapes if shape],
    )


def _spot(projection: Projection, position: Position, most: int) -> Spot | None:
    point = projection.point(position.ra, position.dec)
    if point is None or not (0.0 <= point[0] <= WIDTH and 0.0 <= point[1] <= HEIGHT):
        return None
    weight = math.log1p(position.count) / math.log1p(most)
    return Spot(*point, _SMALLEST + (_LARGEST - _SMALLEST) * weight**2, position)


def _shape(projection: Projection, corners: Sequence[Sequence[float]]) -> str:
    points = [projection.point(float(ra), float(dec)) for ra, dec in corners]
    return "" if None in points else _written([point for point in points if point is not None])


def _written(points: Iterable[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _range(first: float, last: float) -> list[float]:
    steps = max(round(abs(last - first) / _STEP), 1)
    return [first + (last - first) * step / steps for step in range(steps + 1)]


def _angle(degrees: float) -> str:
    return f"{wording.number(degrees, 2)}°" if degrees >= 1.0 else f"{wording.number(60 * degrees, 1)}′"
