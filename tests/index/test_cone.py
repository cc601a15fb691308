import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.index.cone import ZONE_HEIGHT, Cone, bounds, chord_squared, unit_vector, zone

RA = st.floats(0, 360, exclude_max=True)
DEC = st.floats(-90, 90)


def move(ra: float, dec: float, distance: float, bearing: float) -> tuple[float, float]:
    """Return the position at a distance and bearing (degrees) from another, on the great circle."""
    delta, angle, theta = math.radians(dec), math.radians(distance), math.radians(bearing)
    sine = math.sin(delta) * math.cos(angle) + math.cos(delta) * math.sin(angle) * math.cos(theta)
    y = math.sin(theta) * math.sin(angle) * math.cos(delta)
    shift = math.atan2(y, math.cos(angle) - math.sin(delta) * sine)
    return (ra + math.degrees(shift)) % 360.0, math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def squared(one: tuple[float, float], other: tuple[float, float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(unit_vector(*one), unit_vector(*other), strict=True))


@given(RA, DEC, st.floats(1e-6, 180), st.floats(0, 0.999_999), st.floats(0, 360))
@example(0.0, 89.99, 0.02, 0.9, 180.0)
@example(359.999, 0.0, 0.1, 0.99, 90.0)
@example(0.0, -90.0, 0.1, 0.5, 10.0)
def test_bounds_and_distance_hold_all_positions_within(
    ra: float, dec: float, radius: float, share: float, bearing: float
) -> None:
    found = move(ra, dec, radius * share, bearing)
    limits = bounds(Cone(ra, dec, radius))
    assert limits.first_zone <= zone(found[1]) <= limits.last_zone
    assert not limits.ra_ranges or any(west <= found[0] <= east for west, east in limits.ra_ranges)
    if share < 0.999:
        assert squared((ra, dec), found) <= chord_squared(radius)


@given(RA, st.floats(-89, 89), st.floats(1e-5, 60), st.floats(1.001, 1.5), st.floats(0, 360))
def test_distance_leaves_out_positions_beyond(
    ra: float, dec: float, radius: float, share: float, bearing: float
) -> None:
    assert squared((ra, dec), move(ra, dec, radius * share, bearing)) > chord_squared(radius)


def test_chord_resolves_what_a_cosine_cannot() -> None:
    milliarcsecond = 1 / 3_600_000
    assert squared((10.0, 20.0), (10.0, 20.0 + milliarcsecond)) == pytest.approx(
        chord_squared(milliarcsecond), rel=1e-4
    )


@pytest.mark.parametrize(("dec", "number"), [(-90.0, 0), (-89.6, 0), (-89.5, 1), (0.0, 180), (89.9, 359), (90.0, 359)])
def test_zones(dec: float, number: int) -> None:
    assert ZONE_HEIGHT == 0.5
    assert zone(dec) == number


def test_bounds_are_narrow_and_wrap() -> None:
    usual = bounds(Cone(83.8, -5.4, 1 / 6))
    assert usual.last_zone - usual.first_zone <= 1
    assert len(usual.ra_ranges) == 1
    assert usual.ra_ranges[0][1] - usual.ra_ranges[0][0] == pytest.approx(
        2 * (1 / 6) / math.cos(math.radians(5.4)), 1e-4
    )
    east, west = bounds(Cone(0.1, 0.0, 0.5)).ra_ranges
    assert east == pytest.approx((0.0, 0.6), abs=1e-6)
    assert west == pytest.approx((359.6, 360.0), abs=1e-6)
    assert bounds(Cone(10.0, 89.9, 0.2)).ra_ranges == ()
