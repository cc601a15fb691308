import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from shared.fits.container import unpacked
from shared.fits.structure import read_structure
from shared.intake.packing import pack_file
from shared.intake.reading import read_upload

LIMIT = 1 << 30


def image(kind: str, shape: tuple[int, ...] = (40, 30)) -> Any:
    pixels = np.random.default_rng(1).normal(100, 10, shape).astype(kind)
    if np.dtype(kind).kind == "f":
        pixels.flat[:4] = [np.nan, np.inf, -np.inf, -0.0]
    return pixels


def described(hdu: Any) -> Any:
    hdu.header["EXTNAME"] = "SCI"
    hdu.header["FNAME"] = ("a.fits", "the name")
    hdu.header["LONGTEXT"] = "x" * 150
    hdu.header["HIERARCH ESO DET ID"] = 3
    hdu.header["UNDEF"] = None
    hdu.header["COMMENT"] = "one"
    hdu.header["COMMENT"] = "two"
    hdu.header["HISTORY"] = "made"
    return hdu


def written(path: Path, *hdus: Any, checksum: bool = False) -> Path:
    fits.HDUList(list(hdus)).writeto(path, checksum=checksum)
    return path


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
def test_pixels_and_headers_are_the_same_after_packing(kind: str, tmp_path: Path) -> None:
    table = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=np.arange(3.0))], name="CAT")
    source = written(
        tmp_path / "a", described(fits.PrimaryHDU(image(kind))), table, fits.ImageHDU(image("i2")), checksum=True
    )
    before = source.read_bytes()
    packed = pack_file(source, limit=LIMIT)
    assert packed is not None
    assert source.read_bytes() == before
    with fits.open(source) as old, fits.open(packed) as new:
        assert np.array_equal(new["SCI"].data, old["SCI"].data, equal_nan=np.dtype(kind).kind == "f")
        assert new["SCI"].data.dtype.newbyteorder("=") == old["SCI"].data.dtype.newbyteorder("=")
        assert new["SCI"].compression_type == ("GZIP_2" if kind in ("i8", "f4", "f8") else "RICE_1")
        assert new["SCI"].header["LONGTEXT"] == "x" * 150
        assert list(new["SCI"].header["COMMENT"]) == ["one", "two"]
        assert np.array_equal(new["CAT"].data["x"], old["CAT"].data["x"])
        assert np.array_equal(new[3].data, old[2].data)
    structure = read_structure(packed)
    assert not structure.damage
    assert {str(hdu.checksum) for hdu in structure.hdus} == {"verified"}
    frame = read_upload(packed, work_dir=tmp_path, limit=LIMIT)
    assert frame.is_tiled
    assert (frame.header["FNAME"], frame.header["ESO DET ID"]) == ("a.fits", 3)


def test_packing_makes_an_image_of_a_sky_smaller(tmp_path: Path) -> None:
    source = written(tmp_path / "a", described(fits.PrimaryHDU(image("u2", (512, 512)))))
    packed = pack_file(source, limit=LIMIT)
    assert packed is not None
    assert packed.stat().st_size < 0.6 * source.stat().st_size


def test_scaled_integers_keep_their_scale(tmp_path: Path) -> None:
    hdu = described(fits.PrimaryHDU(image("f4", (20, 20)).clip(0, 200)))
    hdu.data = np.nan_to_num(hdu.data)
    hdu.scale("int16", bscale=0.5, bzero=10)
    hdu.header["BLANK"] = -99
    source = written(tmp_path / "a", hdu)
    packed = pack_file(source, limit=LIMIT)
    assert packed is not None
    with fits.open(source) as old, fits.open(packed) as new:
        assert np.array_equal(new["SCI"].data, old["SCI"].data)


def test_an_extension_is_packed_where_it_is(tmp_path: Path) -> None:
    primary = fits.PrimaryHDU()
    primary.header["ORIGIN"] = "here"
    packed = pack_file(written(tmp_path / "a", primary, described(fits.ImageHDU(image("i4")))), limit=LIMIT)
    assert packed is not None
    with fits.open(packed) as new:
        assert [type(hdu).__name__ for hdu in new] == ["PrimaryHDU", "CompImageHDU"]
        assert new[0].header["ORIGIN"] == "here"


def test_a_gzip_stream_is_unpacked_first(tmp_path: Path) -> None:
    plain = io.BytesIO()
    fits.HDUList([described(fits.PrimaryHDU(image("i2")))]).writeto(plain)
    source = tmp_path / "a"
    source.write_bytes(gzip.compress(plain.getvalue()))
    packed = pack_file(source, limit=LIMIT)
    assert packed is not None
    with unpacked(packed, work_dir=tmp_path, limit=LIMIT) as (_, container):
        assert container == "none"


def test_what_has_no_image_is_left_alone(tmp_path: Path) -> None:
    table = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=np.arange(3.0))])
    assert pack_file(written(tmp_path / "a", fits.PrimaryHDU(), table), limit=LIMIT) is None
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_would_not_be_the_same_is_left_alone(tmp_path: Path) -> None:
    """Cards of text without a keyword are lost on the way through astropy."""
    hdu = described(fits.PrimaryHDU(image("i2")))
    hdu.header.append(("", "a line of text"))
    assert pack_file(written(tmp_path / "a", hdu), limit=LIMIT) is None
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
