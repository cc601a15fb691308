import math
import warnings
from collections.abc import Mapping

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.fits.cards import parse_cards
from shared.fits.model import Card, CardValue, SkyPosition
from shared.fits.reference import ReferenceSystem, reference_system
from shared.fits.wcs import celestial_wcs
from tests.fits.test_values import ANY_VALUE

TAN: dict[str, CardValue] = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRVAL1": 83.8,
    "CRVAL2": -5.4,
    "CRPIX1": 50.0,
    "CRPIX2": 40.0,
    "CD1_1": -1e-3,
    "CD1_2": 2e-4,
    "CD2_1": 2e-4,
    "CD2_2": 1e-3,
}
SIP: dict[str, CardValue] = {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-4, "A_1_1": -2e-5, "B_0_2": 5e-5, "B_1_1": 1e-5}
PLATE: dict[str, CardValue] = {
    "PLTRAH": 5,
    "PLTRAM": 35,
    "PLTRAS": 17.0,
    "PLTDECSN": "-",
    "PLTDECD": 5,
    "PLTDECM": 23,
    "PLTDECS": 28.0,
    "PLTSCALE": 67.2,
    "CNPIX1": 7000,
    "CNPIX2": 7100,
    "XPIXELSZ": 25.28,
    "YPIXELSZ": 25.28,
    **{f"PPO{n}": 177500.0 if n in {3, 6} else 0.0 for n in range(1, 7)},
    **{f"AMD{a}{n}": 0.0 for a in "XY" for n in range(1, 21)},
    "AMDX1": 67.2,
    "AMDX2": 0.3,
    "AMDX7": 1e-3,
    "AMDY1": 67.25,
    "AMDY2": -0.3,
}


def cards(values: Mapping[str, CardValue]) -> tuple[Card, ...]:
    return tuple(Card(keyword, value) for keyword, value in values.items())


def astropys_corners(values: Mapping[str, CardValue], axes: tuple[int, ...]) -> list[tuple[float, float]]:
    header = fits.Header([("NAXIS", len(axes)), *((f"NAXIS{n}", length) for n, length in enumerate(axes, 1))])
    header.update(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = WCS(header).celestial
        corners = np.array([[0.5, 0.5], [axes[0] + 0.5, 0.5], [axes[0] + 0.5, axes[1] + 0.5], [0.5, axes[1] + 0.5]])
        sky = found.pixel_to_world(*(corners.T - 1)).icrs
    return list(zip(sky.ra.deg, sky.dec.deg, strict=True))


def apart(one: SkyPosition, other: tuple[float, float]) -> float:
    """Return the angle between two positions [arcsec]."""
    a, b = (
        np.array([math.cos(d) * math.cos(r), math.cos(d) * math.sin(r), math.sin(d)])
        for r, d in (map(math.radians, (one.ra, one.dec)), map(math.radians, other))
    )
    return math.degrees(math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))) * 3600


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN"},
        {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": -5.4, "CRVAL2": 83.8},
        {"CRVAL1": 0.0, "CRVAL2": 89.99},
        {"CRVAL1": 359.99},
        {"CRPIX1": -5000.0},
        {"RADESYS": "FK5", "EQUINOX": 2000.0},
        {"RADESYS": "FK5", "EQUINOX": 2022.7},
        {"RADESYS": "FK4", "EQUINOX": 1950.0},
        {"EQUINOX": 1950.0},
        {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"},
        {"CUNIT1": "deg", "CUNIT2": "deg"},
        {"LONPOLE": 150.0},
        {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", **SIP},
        SIP,
        {"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_1": 1.001, "PV1_4": 0.1, "PV2_1": 0.999, "PV2_7": 0.01},
        {"PV1_0": 0.0, "PV1_1": 1.001, "PV1_7": 0.3, "PV2_0": 0.0, "PV2_1": 0.999, "PV2_8": -0.2},
        {"CD1_1": None, "CD1_2": None, "CD2_1": None, "CD2_2": None, "CDELT1": 1e-3, "CDELT2": 1e-3, "CROTA2": 270.0},
        {"CD1_1": None, "CD1_2": None, "CD2_1": None, "CD2_2": None, "PC1_1": -1e-3, "PC2_2": 1e-3},
        {"CDELT1": 2e-3, "CDELT2": 2e-3, "CROTA1": 78.4, "CROTA2": 78.4},
        {"PC1_1": 0.9, "PC1_2": 0.1, "PC2_1": -0.1, "PC2_2": 0.9},
        {"PC1_1": 0.9, "PC2_2": 0.9, "CDELT1": -2e-3, "CDELT2": 2e-3},
        {"CRVAL1": None, "CRPIX2": None},
        {"LATPOLE": 0.0, "LONPOLE": 180.0, "CRVAL2": 89.05},
        {"CTYPE1": "RA---ZPN", "CTYPE2": "DEC--ZPN", "PV2_1": 1.0, "PV2_3": 42.0},
        {"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR"},
        {"CTYPE1": "RA---STG", "CTYPE2": "DEC--STG"},
        {"CUNIT1": "arcsec", "CUNIT2": "arcsec"},
        PLATE,
    ],
)
def test_corners_are_those_of_astropy(changes: dict[str, CardValue]) -> None:
    values = {keyword: value for keyword, value in (TAN | changes).items() if value is not None}
    found = celestial_wcs(cards(values), (120, 90))
    assert found is not None
    footprint = found.footprint()
    assert footprint is not None
    for ours, theirs in zip(footprint, astropys_corners(values, (120, 90)), strict=True):
        assert apart(ours, theirs) < 0.01
        assert 0 <= ours.ra < 360


def test_degenerate_and_spectral_axes_are_left_out() -> None:
    cube = TAN | {
        "CTYPE3": "FREQ",
        "CRVAL3": 1e11,
        "CDELT3": 1e6,
        "CUNIT3": "nonsense",
        "WCSAXES": 10**9,
        "CTYPE4": "STOKES",
    }
    flat, deep = celestial_wcs(cards(TAN), (120, 90)), celestial_wcs(cards(cube), (120, 90, 5, 1))
    assert flat is not None
    assert deep is not None
    assert deep.footprint() == flat.footprint()


def test_the_centre_is_that_of_the_pixels() -> None:
    found = celestial_wcs(cards(TAN | {"CRPIX1": 60.5, "CRPIX2": 45.5}), (120, 90))
    assert found is not None
    centre = found.centre()
    assert centre is not None
    assert apart(centre, (83.8, -5.4)) < 1e-3


@pytest.mark.parametrize(
    ("changes", "axes"),
    [
        ({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"}, (120, 90)),
        ({"CTYPE1": "RA---TAN", "CTYPE2": "GLAT-TAN"}, (120, 90)),
        ({"CTYPE1": "LINEAR"}, (120, 90)),
        ({"CTYPE2": None}, (120, 90)),
        ({"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}, (120, 90)),
        ({"CD1_1": 0.0, "CD1_2": 0.0}, (120, 90)),
        ({}, (0, 0)),
        ({}, ()),
        ({}, (120,)),
    ],
)
def test_no_celestial_wcs(changes: dict[str, CardValue], axes: tuple[int, ...]) -> None:
    assert celestial_wcs(cards(TAN | changes), axes) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN", "CD1_1": -10.0, "CD2_2": 10.0},
        {"CRPIX1": 1e300, "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", **SIP},
        {"CD1_1": 1e-30, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1e-30},
    ],
)
def test_no_footprint_where_corners_are_no_directions(changes: dict[str, CardValue]) -> None:
    found = celestial_wcs(cards(TAN | changes), (120, 90))
    assert found is None or found.footprint() is None


def test_a_frame_over_the_pole_has_four_corners_around_it() -> None:
    found = celestial_wcs(cards(TAN | {"CRVAL1": 0.0, "CRVAL2": 90.0, "CD1_2": 0.0, "CD2_1": 0.0}), (100, 80))
    assert found is not None
    footprint = found.footprint()
    assert footprint is not None
    assert len({round(corner.ra // 90) for corner in footprint}) == 4


@given(
    st.dictionaries(
        st.sampled_from([*TAN, *SIP, *PLATE, "CUNIT1", "PV1_1", "PV2_39", "EQUINOX", "RADESYS", "LONPOLE"]), ANY_VALUE
    )
)
@settings(max_examples=200, deadline=None)
def test_any_values_give_directions_or_nothing(changes: dict[str, CardValue]) -> None:
    found = celestial_wcs(cards(TAN | SIP | changes), (2**40, 3))
    footprint = found.footprint() if found is not None else None
    for corner in footprint or ():
        assert 0 <= corner.ra < 360
        assert -90 <= corner.dec <= 90


@pytest.mark.parametrize(
    ("radesys", "equinox", "epoch", "name"),
    [
        (None, None, None, "icrs"),
        (None, 2000.0, None, "fk5"),
        (None, "J2000", None, "fk5"),
        (None, None, 1950.0, "fk4"),
        ("FK5", 1950.0, None, "fk5"),
        ("ICRS", 1950.0, None, "icrs"),
        ("AZEL_TOPO", 0.0, None, "icrs"),
        (None, "nan", 1e300, "icrs"),
    ],
)
def test_reference_systems(radesys: str | None, equinox: CardValue, epoch: CardValue, name: str) -> None:
    assert reference_system(radesys, equinox, epoch=epoch).name == name


@pytest.mark.parametrize(
    ("system", "point", "expected"),
    [
        (ReferenceSystem("ecliptic"), (90.0, 0.0), (90.0, 23.4393)),  # the obliquity
        (ReferenceSystem("galactic"), (0.0, 90.0), (192.8595, 27.1283)),  # the north galactic pole
        (ReferenceSystem("icrs"), (-1.0, 5.0), (359.0, 5.0)),
    ],
)
def test_known_directions(system: ReferenceSystem, point: tuple[float, float], expected: tuple[float, float]) -> None:
    found = system.to_icrs([point])
    assert found is not None
    assert (found[0].ra, found[0].dec) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("point", [(math.nan, 0.0), (0.0, 90.1), (math.inf, 0.0), (1e9, 0.0)])
def test_what_is_no_direction(point: tuple[float, float]) -> None:
    assert ReferenceSystem().to_icrs([(0.0, 0.0), point]) is None


def test_keywords_are_read_from_raw_records() -> None:
    records = [f"{keyword:<8}= {value!r}".encode().ljust(80) for keyword, value in TAN.items()]
    assert celestial_wcs(parse_cards(records)[0], (120, 90)) is not None
