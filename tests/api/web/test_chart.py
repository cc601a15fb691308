"""The map of the sky: areas, directions, and what is near a position."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api.web.chart import HEIGHT, WIDTH, WholeSky, ZoomedSky, draw_chart

RA = st.floats(0, 359.9)
DEC = st.floats(-89, 89)


@dataclass(frozen=True)
class Place:
    ra: float
    dec: float
    radius: float = 10.0
    count: int = 1


def separation(one: tuple[float, float], other: tuple[float, float]) -> float:
    (ra, dec), (ra2, dec2) = (tuple(map(math.radians, position)) for position in (one, other))
    sine = math.sin((dec - dec2) / 2) ** 2 + math.cos(dec) * math.cos(dec2) * math.sin((ra - ra2) / 2) ** 2
    return math.degrees(2 * math.asin(math.sqrt(sine)))


@given(RA, DEC)
def test_the_whole_sky_is_on_the_map(ra: float, dec: float) -> None:
    point = WholeSky().point(ra, dec)
    assert point is not None
    assert 0 <= point[0] <= WIDTH
    assert 0 <= point[1] <= HEIGHT


def test_the_middle_is_12_hours_and_east_is_to_the_left() -> None:
    sky = WholeSky()
    middle, east, north = sky.point(180, 0), sky.point(190, 0), sky.point(180, 10)
    assert middle == (WIDTH / 2, HEIGHT / 2)
    assert east is not None
    assert north is not None
    assert east[0] < WIDTH / 2
    assert north[1] < HEIGHT / 2


@pytest.mark.parametrize(("ra", "dec"), [(180.0, 0.0), (30.0, 45.0), (300.0, -70.0), (100.0, 80.0)])
def test_areas_are_equal(ra: float, dec: float) -> None:
    def area(ra: float, dec: float) -> float:
        size = 0.01
        at, right, up = (WholeSky().point(*one) for one in ((ra, dec), (ra + size, dec), (ra, dec + size)))
        assert at is not None
        assert right is not None
        assert up is not None
        cross = (right[0] - at[0]) * (up[1] - at[1]) - (right[1] - at[1]) * (up[0] - at[0])
        return abs(cross) / math.cos(math.radians(dec + size / 2))

    assert area(ra, dec) == pytest.approx(area(180.0, 0.0), rel=1e-3)


@given(RA, st.floats(-90, 90), st.floats(0.01, 20), RA, st.floats(0, 0.9))
def test_a_zoomed_map_keeps_distances_from_its_middle(
    ra: float, dec: float, radius: float, turn: float, part: float
) -> None:
    distance, middle, angle = math.radians(radius * part), math.radians(dec), math.radians(turn)
    there = math.asin(
        min(
            1.0,
            max(-1.0, math.sin(middle) * math.cos(distance) + math.cos(middle) * math.sin(distance) * math.cos(angle)),
        )
    )
    around = math.atan2(
        math.sin(angle) * math.sin(distance) * math.cos(middle),
        math.cos(distance) - math.sin(middle) * math.sin(there),
    )
    position = (ra + math.degrees(around)) % 360.0, math.degrees(there)
    point = ZoomedSky(ra, dec, radius).point(*position)
    assert point is not None
    away = math.hypot(point[0] - WIDTH / 2, point[1] - HEIGHT / 2) * radius / (HEIGHT / 2 - 30.0)
    assert away == pytest.approx(separation((ra, dec), position), abs=1e-4 * radius + 1e-6)


def test_what_is_far_from_the_middle_is_not_on_the_map() -> None:
    chart = draw_chart(ZoomedSky(10, 20, 1), [Place(10, 20.5), Place(10, 25), Place(190, -20)])
    assert [spot.position for spot in chart.spots] == [Place(10, 20.5)]


def test_a_map_is_made_wide_enough_for_footprints() -> None:
    near = ZoomedSky(10, 20, 0.1, reach=0.1)
    corners = [(12.0, 20.0), (10.0, 19.0)]
    wide = near.holding(corners)
    assert wide.radius == pytest.approx(separation((10, 20), (12, 20)))
    assert all(near.point(*corner) is None for corner in corners)
    assert all(wide.point(*corner) is not None for corner in corners)
    assert near.holding([]) == near


def test_more_frames_make_larger_spots_which_lie_below() -> None:
    chart = draw_chart(WholeSky(), [Place(10, 20, count=1), Place(50, 20, count=1000), Place(90, 20, count=30)])
    assert [spot.position.count for spot in chart.spots] == [1000, 30, 1]
    assert [spot.size for spot in chart.spots] == sorted((spot.size for spot in chart.spots), reverse=True)


def test_footprints_are_drawn_where_all_of_them_is_near() -> None:
    corners = [[9.9, 19.9], [10.1, 19.9], [10.1, 20.1], [9.9, 20.1]]
    far = [[190.0, -20.0]] * 4
    chart = draw_chart(ZoomedSky(10, 20, 1), [], [(7, corners), (8, far)])
    assert [frame_id for frame_id, _ in chart.footprints] == [7]
    assert len(chart.footprints[0][1].split()) == 4
