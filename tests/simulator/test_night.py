import datetime as dt
import io
import itertools
import re
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from shared.simulator import SimulatedFrame, Site, simulate_night

NIGHT = dt.date(2026, 11, 21)


@pytest.fixture(scope="module")
def frames() -> list[SimulatedFrame]:
    return list(simulate_night(night=NIGHT, shape=(96, 128)))


def science(frame: SimulatedFrame) -> Any:
    with fits.open(io.BytesIO(frame.data)) as file:
        return file["SCI"].header.copy()


def test_a_night_has_every_kind_of_frame_in_every_filter(frames: list[SimulatedFrame]) -> None:
    headers = [science(frame) for frame in frames]
    raw = [(header["IMAGETYP"], header["FILTER"]) for header in headers if "RLEVEL" not in header]
    assert {kind for kind, _ in raw} == {"bias", "dark", "skyflat", "focus", "object"}
    for kind in ("skyflat", "object"):
        assert {band for found, band in raw if found == kind} == {"B", "V", "R"}
    reduced = [header for header in headers if header.get("RLEVEL") == 91]
    assert len({header["OBJECT"] for header in reduced if header["IMAGETYP"] == "object"}) == 5
    assert 40 <= len(frames) <= 60


def test_names_and_keys(frames: list[SimulatedFrame]) -> None:
    assert len({frame.name for frame in frames}) == len(frames)
    for frame in frames:
        header = science(frame)
        assert header["FNAME"] == frame.name
        assert frame.key == f"vault/20261121/{frame.name}"
        assert re.fullmatch(
            r"vault1m0-sim01-20261121-(\d{4}-[bdfex]00|\d{4}-e91|(bias|dark|skyflat)-bin2x2(-[BVR])?)\.fits\.fz",
            frame.name,
        )


def test_links_resolve_within_the_night_and_to_earlier_frames(frames: list[SimulatedFrame]) -> None:
    written: dict[str, Any] = {}
    links = 0
    for frame in frames:
        header = science(frame)
        for keyword in header:
            if keyword.startswith(("L1AVG", "L1BIAS", "L1DARK", "L1FLAT", "L1RAW")):
                target = written[header[keyword]]
                links += 1
                if keyword == "L1FLAT":
                    assert target["FILTER"] == header["FILTER"]
                if keyword == "L1RAW":
                    assert target["DATE-OBS"] == header["DATE-OBS"]
        written[frame.name.removesuffix(".fits.fz")] = header
    assert links > 60


def test_checksums_verify(frames: list[SimulatedFrame]) -> None:
    for frame in frames:
        with fits.open(io.BytesIO(frame.data), checksum=True, disable_image_compression=True) as file:
            for hdu in file:
                assert hdu.verify_checksum() == hdu.verify_datasum() == 1
                hdu.verify("exception")


def test_the_wcs_puts_the_catalogue_on_its_pixels(frames: list[SimulatedFrame]) -> None:
    seen = 0
    for frame in frames:
        with fits.open(io.BytesIO(frame.data)) as file:
            if "CAT" not in file:
                continue
            table, wcs = file["CAT"].data, WCS(file["SCI"].header)
            x, y = wcs.all_world2pix(table["ra"], table["dec"], 1)
            assert np.hypot(x - table["x"], y - table["y"]).max() < 0.01
            seen += len(table)
    assert seen > 300


def test_bright_stars_stand_where_the_catalogue_says() -> None:
    night = simulate_night(night=NIGHT, shape=(256, 256))
    reduced = [frame for frame in night if frame.name.endswith("e91.fits.fz")]
    bright = 0
    for frame in reduced[:6]:
        with fits.open(io.BytesIO(frame.data)) as file:
            pixels, table = file["SCI"].data, file["CAT"].data
        background = np.median(pixels)
        for star in table[:30]:
            x, y = round(star["x"]) - 1, round(star["y"]) - 1
            if 4 < x < 250 and 4 < y < 250:
                bright += bool(pixels[y - 1 : y + 2, x - 1 : x + 2].max() > background + 30)
    assert bright > 100


def test_reduction_removes_the_instrument(frames: list[SimulatedFrame]) -> None:
    by_name = {frame.name: frame for frame in frames}
    for frame in frames:
        if not frame.name.endswith("e91.fits.fz"):
            continue
        header = science(frame)
        with fits.open(io.BytesIO(by_name[header["L1RAW"] + ".fits.fz"].data)) as file:
            raw, trim = file["SCI"].data, file["SCI"].header["TRIMSEC"]
        with fits.open(io.BytesIO(frame.data)) as file:
            reduced = file["SCI"].data
        assert trim == "[1:128,1:96]"
        assert raw.shape == (96, 136)
        assert reduced.shape == (96, 128)
        assert reduced.dtype.kind == "f"
        overscan = np.median(raw[:, 128:])
        assert np.median(reduced) == pytest.approx(np.median(raw[:, :128]) - overscan, rel=0.12, abs=20)


def test_raw_frames_are_rice_and_reduced_ones_without_loss(frames: list[SimulatedFrame]) -> None:
    for frame in frames:
        with fits.open(io.BytesIO(frame.data), disable_image_compression=True) as file:
            header = file["SCI"].header
            assert header["ZCMPTYPE"] == ("RICE_1" if header["ZBITPIX"] > 0 else "GZIP_2")
            assert "ZSCALE" not in file["SCI"].columns.names


def test_the_sun_is_down_and_targets_are_up(frames: list[SimulatedFrame]) -> None:
    for header in map(science, frames):
        if header["IMAGETYP"] == "object":
            assert header["SUNALT"] < -11
            assert header["TEL-ALT"] > 25
            assert 1.0 <= header["AIRMASS"] < 2.4
        if header["IMAGETYP"] == "skyflat":
            assert -12 < header["SUNALT"] < 0


def test_times_run_forward_through_one_night(frames: list[SimulatedFrame]) -> None:
    raws = [science(frame) for frame in frames if frame.name.endswith("00.fits.fz")]
    starts = [dt.datetime.fromisoformat(header["DATE-OBS"]) for header in raws]
    assert all(later > earlier for earlier, later in itertools.pairwise(starts))
    assert starts[-1] - starts[0] < dt.timedelta(hours=20)
    assert {header["DAY-OBS"] for header in raws} == {"2026-11-21"}


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, again, other = (list(simulate_night(night=NIGHT, seed=seed, shape=(32, 32))) for seed in (5, 5, 6))
    assert first == again
    assert all(mine.data != theirs.data for mine, theirs in zip(first, other, strict=True))


@pytest.mark.parametrize(("latitude", "month"), [(-89.9, 6), (-30.2, 12), (0.0, 3), (78.2, 6), (78.2, 12)])
def test_any_site_at_any_time_of_the_year(latitude: float, month: int) -> None:
    site = Site(site_id="any", latitude=latitude, longitude=150.0)
    frames = list(simulate_night(night=dt.date(2025, month, 21), site=site, shape=(16, 16)))
    assert len(frames) == 53
    assert frames[0].key.startswith(f"any/2025{month:02d}21/any1m0-sim01-2025{month:02d}21-0001-b00")
