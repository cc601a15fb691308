"""Cells of the sky: each position has one, and a cone's cells are those that it touches."""

import math
import random

import pytest

from shared.index.cone import Cone, chord_squared, unit_vector
from shared.index.sky import cover, sky_cell

RADII = (0.0, 1e-7, 1e-5, 0.001, 0.01, 1 / 6, 0.5, 1.0, 2.0)


def nearby(rng: random.Random, cone: Cone) -> tuple[float, float]:
    """Return a position around the edge of a cone, inside or outside."""
    distance = math.radians(cone.radius * rng.choice((rng.uniform(0.0, 1.3), 1.0 + rng.uniform(-1e-3, 1e-3), 1.0)))
    bearing, dec = rng.uniform(0.0, 2 * math.pi), math.radians(cone.dec)
    sine = math.sin(dec) * math.cos(distance) + math.cos(dec) * math.sin(distance) * math.cos(bearing)
    there = math.asin(max(-1.0, min(1.0, sine)))
    east = math.sin(bearing) * math.sin(distance) * math.cos(dec)
    ahead = math.cos(distance) - math.sin(dec) * math.sin(there)
    return (cone.ra + math.degrees(math.atan2(east, ahead))) % 360.0, math.degrees(there)


@pytest.mark.parametrize("radius", RADII)
def test_no_position_is_lost_and_none_is_counted_wrongly(radius: float) -> None:
    rng = random.Random(radius)
    within = edge = 0
    for _ in range(150):
        dec = rng.choice(
            (rng.uniform(-90.0, 90.0), 90.0 - rng.random() * 2 * radius, rng.random() * radius - 90.0, 90.0, 0.0)
        )
        cone = Cone(rng.choice((rng.uniform(0.0, 360.0), 0.0, 359.9999, 0.0001)), dec, radius)
        cells, centre = cover(cone), unit_vector(cone.ra, cone.dec)
        assert [cell for first, last in cells.ranges for cell in range(first, last + 1)] == sorted(
            cells.within | cells.edge
        )
        for _ in range(20):
            ra, there = nearby(rng, cone)
            offset = sum((one - other) ** 2 for one, other in zip(unit_vector(ra, there), centre, strict=True))
            is_inside, cell = offset <= chord_squared(radius), sky_cell(ra, there)
            is_within, is_on_edge = cell in cells.within, cell in cells.edge
            assert not (is_within and is_on_edge), cone
            assert is_inside or not is_within, (cone, ra, there)
            assert is_within or is_on_edge or not is_inside, (cone, ra, there)
            within, edge = within + is_within, edge + is_on_edge
    assert edge > 100
    assert within > 100 or radius < 0.1


def test_cells_are_some_arcminutes_wide_and_numbered_from_the_south() -> None:
    assert sky_cell(0.0, -90.0) == 0
    assert sky_cell(0.0, 90.0) > sky_cell(359.0, 0.0) > sky_cell(0.0, 0.0)
    assert sky_cell(10.0, 20.0) != sky_cell(10.0 + 3 / 60, 20.0)
    assert sky_cell(360.0, 20.0) == sky_cell(0.0, 20.0)
