import datetime as dt
from collections.abc import Iterator

import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given
from hypothesis import strategies as st

from shared.simulator.site import Site, moon, moon_fraction, separation, sun

SITE = Site()
TIMES = [dt.datetime(2026, month, 21, 3 * month % 24, 30, tzinfo=dt.UTC) for month in range(1, 13)]
angles = st.tuples(st.floats(0, 360), st.floats(-90, 90))


@pytest.fixture(autouse=True, scope="module")
def _offline() -> Iterator[None]:
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        yield


@pytest.mark.parametrize("time", TIMES)
def test_sun_and_moon_are_where_astropy_has_them(time: dt.datetime) -> None:
    for body, place, tolerance in (("sun", sun(time), 0.5), ("moon", moon(time), 1.0)):
        expected = get_body(body, Time(time))
        assert separation(*place, expected.ra.deg, expected.dec.deg) < tolerance
    assert 0 <= moon_fraction(time) <= 1


@pytest.mark.parametrize("time", TIMES)
def test_altitude_and_azimuth(time: dt.datetime) -> None:
    location = EarthLocation.from_geodetic(SITE.longitude, SITE.latitude, SITE.elevation)
    expected = SkyCoord(202.47, 47.2, unit="deg").transform_to(AltAz(obstime=Time(time), location=location))
    found = SITE.horizontal(202.47, 47.2, time)
    assert separation(found.azimuth, found.altitude, expected.az.deg, expected.alt.deg) < 0.5


def test_full_and_new_moon() -> None:
    assert moon_fraction(dt.datetime(2026, 11, 24, 15, tzinfo=dt.UTC)) > 0.99
    assert moon_fraction(dt.datetime(2026, 11, 9, 7, tzinfo=dt.UTC)) < 0.01


@given(angles, angles)
def test_separation_is_a_distance(first: tuple[float, float], second: tuple[float, float]) -> None:
    assert separation(*first, *second) == pytest.approx(separation(*second, *first))
    assert 0 <= separation(*first, *second) <= 180
    assert separation(*first, *first) == 0
