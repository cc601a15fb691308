from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from shared.errors import FitsError
from shared.fits.unpack import unpack_tiles

CHANCE = np.random.default_rng(7)
UNSIGNED = (np.arange(300 * 400).reshape(300, 400) % 60000).astype(np.uint16)
FLOATS = CHANCE.normal(size=(3, 60, 70)).astype("f4")
FLOATS[0, 1, 2] = np.nan


def packed(path: Path, *, as_primary: bool = False) -> Path:
    """Write a file with images of two kinds, in tiles, a table, and a plain image."""
    header = fits.Header({"OBJECT": "M 51", "EXPTIME": 30.0})
    header["HISTORY"] = "made up"
    header.add_comment("kept")
    table = fits.BinTableHDU.from_columns([fits.Column("flux", "E", array=[1, 2, 3])], name="CAT")
    hdus = [
        fits.PrimaryHDU(),
        fits.CompImageHDU(UNSIGNED, header, name="SCI", compression_type="RICE_1"),
        fits.CompImageHDU(FLOATS, name="ERR", compression_type="GZIP_2", quantize_level=0.0),
        table,
        fits.ImageHDU(UNSIGNED.astype("i4"), name="PLAIN"),
    ]
    fits.HDUList(hdus).writeto(path, checksum=True)
    if as_primary:
        with fits.open(path, mode="update", disable_image_compression=True) as file:
            file[1].header["ZSIMPLE"] = True
    return path


@pytest.mark.parametrize("rows", [16 << 20, 5000])
def test_pixels_cards_and_other_hdus_are_the_same(tmp_path: Path, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.fits.unpack._ROWS_BYTES", rows)
    source, target = packed(tmp_path / "a.fits.fz"), tmp_path / "a.fits"
    unpack_tiles(source, target)
    assert target.stat().st_size % 2880 == 0
    with fits.open(source) as before, fits.open(target, checksum=True) as after:
        after.verify("exception")
        assert [type(hdu).__name__ for hdu in after] == [
            *("PrimaryHDU", "ImageHDU", "ImageHDU", "BinTableHDU", "ImageHDU"),
        ]
        assert fits.FITSDiff(before, after, ignore_keywords=["CHECKSUM", "DATASUM"]).identical
        assert after["SCI"].data.dtype == np.uint16
        assert np.array_equal(after["SCI"].data, UNSIGNED)
        assert np.array_equal(after["ERR"].data, FLOATS, equal_nan=True)
        assert list(after["SCI"].header["HISTORY"]) == ["made up"]
        assert "ZIMAGE" not in after["SCI"].header


def test_a_primary_image_is_the_primary_again(tmp_path: Path) -> None:
    source, target = packed(tmp_path / "a.fits.fz", as_primary=True), tmp_path / "a.fits"
    unpack_tiles(source, target)
    with fits.open(target) as after:
        assert [hdu.name for hdu in after] == ["SCI", "ERR", "CAT", "PLAIN"]
        assert np.array_equal(after[0].data, UNSIGNED)
        assert after[0].header["OBJECT"] == "M 51"


def test_damaged_tiles_are_told(tmp_path: Path) -> None:
    source = packed(tmp_path / "a.fits.fz")
    with fits.open(source, disable_image_compression=True) as file:
        table = file[2].header
        begin = file[2].fileinfo()["datLoc"] + table.get("THEAP", table["NAXIS1"] * table["NAXIS2"])
    data = bytearray(source.read_bytes())
    data[begin : begin + 400] = b"\xff" * 400
    source.write_bytes(data)
    with pytest.raises(FitsError):
        unpack_tiles(source, tmp_path / "a.fits")
