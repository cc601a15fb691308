import datetime as dt
import io
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from shared.simulator import SimulatedFrame, Site, simulate_frame


def opened(frame: SimulatedFrame) -> tuple[Any, Any]:
    with fits.open(io.BytesIO(frame.data)) as file:
        hdu = file["SCI"] if "SCI" in file else file[0]
        return hdu.header.copy(), np.array(hdu.data)


def test_by_default_a_small_frame_of_m51() -> None:
    frame = simulate_frame()
    header, data = opened(frame)
    assert frame.name == "vault1m0-sim01-20261121-0001-e00.fits.fz"
    assert frame.key == f"vault/20261121/{frame.name}"
    assert header["OBJECT"] == "M 51"
    assert header["IMAGETYP"] == "object"
    assert data.shape == (64, 64)
    assert data[28:36, 28:36].mean() > data[:8, :8].mean() + 100


@pytest.mark.parametrize(
    ("kind", "letter", "level"),
    [("bias", "b", 1180), ("dark", "d", 1190), ("skyflat", "f", 20000), ("object", "e", 4800)],
)
def test_kinds(kind: str, letter: str, level: int) -> None:
    frame = simulate_frame(IMAGETYP=kind)
    header, data = opened(frame)
    assert frame.name.endswith(f"-{letter}00.fits.fz")
    assert header["IMAGETYP"] == kind
    assert np.median(data) == pytest.approx(level, rel=0.25)
    assert ("CRVAL1" in header) == (kind == "object")


def test_keywords_are_replaced_added_and_removed() -> None:
    frame = simulate_frame(
        SITEID="tfn", FILTER="R", AIRMASS=None, REQNUM="0000042", RLEVEL=91, number=7, cards={"DAY-OBS": "20260102"}
    )
    header, _ = opened(frame)
    assert frame.key == "tfn/20260102/tfn1m0-sim01-20260102-0007-e91.fits.fz"
    assert header["FILTER"] == "R"
    assert header["REQNUM"] == "0000042"
    assert header["DAY-OBS"] == "20260102"
    assert header["FNAME"] == frame.name
    assert "AIRMASS" not in header


def test_an_unknown_object_is_a_field_at_the_given_position() -> None:
    frame = simulate_frame(OBJECT="TrES-2 b", cards={"TEL-RA": 286.8, "TEL-DEC": 49.3})
    header, _ = opened(frame)
    assert header["CRVAL1"] == pytest.approx(286.8, abs=0.02)
    assert header["CRVAL2"] == pytest.approx(49.3, abs=0.01)
    assert header["TEL-RA"] == 286.8


def test_a_plain_file_keeps_the_image_in_the_primary_hdu() -> None:
    frame = simulate_frame(name="plain.fits", EXTNAME="SCI")
    with fits.open(io.BytesIO(frame.data), checksum=True) as file:
        assert len(file) == 1
        assert file[0].name == "SCI"
        assert file[0].header["FNAME"] == "plain.fits"
        assert file[0].verify_checksum() == 1


def test_the_file_name_can_come_from_the_header() -> None:
    assert simulate_frame(FNAME="mine.fits.fz").key == "vault/20261121/mine.fits.fz"


def test_a_frame_without_site_and_day_has_a_key_all_the_same() -> None:
    frame = simulate_frame(SITEID=None, INSTRUME=None, cards={"DAY-OBS": None})
    assert frame.key.startswith("unknown/unknown/")


def test_catalogue() -> None:
    frame = simulate_frame(OBJECT="M 67", catalog=True)
    with fits.open(io.BytesIO(frame.data)) as file:
        assert file["SCI"].shape == (64, 64)
        assert len(file["CAT"].data) > 10
        assert file["CAT"].columns.names[:5] == ["x", "y", "ra", "dec", "flux"]


def test_long_values_and_long_comments_fit_their_cards() -> None:
    frame = simulate_frame(OBJECT="it's " + 30 * "long ", PROPID="P" * 60)
    header, _ = opened(frame)
    assert header["OBJECT"] == ("it's " + 30 * "long ").rstrip()
    assert header["PROPID"] == "P" * 60


def test_seed_number_and_night_decide_the_noise() -> None:
    different = [
        simulate_frame(),
        simulate_frame(seed=1),
        simulate_frame(number=2),
        simulate_frame(night=dt.date(2026, 1, 1)),
    ]
    assert len({frame.data for frame in different}) == 4
    assert simulate_frame() == different[0]


def test_the_header_speaks_of_the_site() -> None:
    header, _ = opened(simulate_frame(site=Site(site_id="coj", latitude=-31.27, longitude=149.07, instrument="fa12")))
    assert (header["SITEID"], header["INSTRUME"], header["LATITUDE"]) == ("coj", "fa12", -31.27)
