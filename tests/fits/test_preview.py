import contextlib
import io
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from shared.errors import BadDataError
from shared.fits import drawing
from shared.fits.grey import SMALL_MAX_HEIGHT
from shared.fits.preview import Previews, render_previews
from tests.fits.descriptions import describe_plainly

Array = NDArray[Any]
COMPRESSIONS = ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1", "PLIO_1", "NOCOMPRESS"]


def preview(path: Path, *hdus: Any) -> Previews:
    fits.HDUList(list(hdus)).writeto(path, overwrite=True)
    return render_previews(path, describe_plainly(path))


def grey(png: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "frame.fits"


def sky(shape: tuple[int, int] = (300, 400), seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(1000.0, 30.0, shape)


def reference(data: Array, size: tuple[int, int]) -> Array:
    """Average, stretch and flip, the plain way."""
    low, high = np.percentile(data[np.isfinite(data)], (5, 95))
    width, height = size
    boxes = data.reshape(height, data.shape[0] // height, width, data.shape[1] // width).mean(axis=(1, 3))
    return np.asarray(np.rint(np.clip((boxes - low) / (high - low), 0, 1) * 255)[::-1])


def test_small_is_the_averaged_stretched_flipped_image(path: Path) -> None:
    data = sky() + np.linspace(0, 200, 300)[:, np.newaxis]
    found = preview(path, fits.PrimaryHDU(data))
    assert np.abs(grey(found.small).astype(int) - reference(data, (200, 150))).max() <= 1
    assert found.data_mean == pytest.approx(data.mean())
    assert found.notes == ()


def test_first_row_is_at_the_bottom_in_both(path: Path) -> None:
    data = np.zeros((512, 512))
    data[:100] = 10.0
    found = preview(path, fits.PrimaryHDU(data))
    for picture in (grey(found.small), grey(found.large)):
        assert picture[-1].min() > 250
        assert picture[0].max() < 5


@pytest.mark.parametrize(
    ("shape", "small", "large"),
    [
        ((300, 400), (200, 150), (400, 300)),
        ((101, 333), (200, 60), (333, 101)),
        ((3000, 1500), (200, 400), (512, 1024)),
        ((1, 2027), (200, 1), drawing.LARGE),
        ((10, 10), (200, 200), (10, 10)),
        ((5000, 2), (200, SMALL_MAX_HEIGHT), (1, 1024)),
        ((1, 1), (200, 200), drawing.LARGE),
    ],
)
def test_sizes(path: Path, shape: tuple[int, int], small: tuple[int, int], large: tuple[int, int]) -> None:
    found = preview(path, fits.PrimaryHDU(sky(shape).astype(np.float32)))
    assert Image.open(io.BytesIO(found.small)).size == small
    picture = Image.open(io.BytesIO(found.large))
    assert picture.size == large
    assert Image.MIME[picture.format or ""] == found.large_type


def test_trimsec_trims_the_picture_but_not_the_mean(path: Path) -> None:
    data = np.full((120, 220), 7.0)
    inner = sky((100, 200))
    data[10:110, 12:212] = inner
    hdu = fits.PrimaryHDU(data)
    hdu.header["TRIMSEC"] = "[  13: 212,  11: 110]"
    found = preview(path, hdu)
    assert np.abs(grey(found.small).astype(int) - reference(inner, (200, 100))).max() <= 1
    assert found.data_mean == pytest.approx(data.mean())


def test_overscan_that_is_shown_does_not_spoil_the_grey_scale(path: Path) -> None:
    light = sky((100, 170))
    hdu = fits.PrimaryHDU(np.hstack([light, np.zeros((100, 30))]))
    hdu.header["DATASEC"], hdu.header["BIASSEC"] = "[1:170,1:100]", "[171:200,1:100]"
    picture = grey(preview(path, hdu).small).astype(int)
    assert picture.shape == (100, 200)
    assert np.abs(picture[:, :170] - reference(light, (170, 100))).max() <= 1
    assert not picture[:, 170:].any()


@pytest.mark.parametrize("section", ["[1:4096,1:4096]", "[0:10,1:10]", "[20:10,1:10]"])
def test_a_trimsec_outside_the_image_is_noted_and_ignored(path: Path, section: str) -> None:
    hdu = fits.PrimaryHDU(sky((100, 200)))
    hdu.header["TRIMSEC"] = section
    found = preview(path, hdu)
    assert np.abs(grey(found.small).astype(int) - reference(hdu.data, (200, 100))).max() <= 1
    assert "TRIMSEC" in found.notes[0]


@pytest.mark.parametrize("section", ["UNKNOWN", "", "[1:2]", "[a:b,c:d]", 5])
def test_a_trimsec_that_says_nothing_is_ignored(path: Path, section: object) -> None:
    hdu = fits.PrimaryHDU(sky((100, 200)))
    hdu.header["TRIMSEC"] = section
    assert preview(path, hdu).notes == ()


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
def test_every_data_type_shows_the_same(path: Path, dtype: str) -> None:
    data = np.clip(np.rint(sky((200, 200)) / 10), 0, 255)
    found = preview(path, fits.PrimaryHDU(data.astype(dtype)))
    assert np.abs(grey(found.small).astype(int) - reference(data, (200, 200))).max() <= 1
    assert found.data_mean == pytest.approx(data.mean())


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed_integers_show_as_plain_ones(path: Path, compression: str) -> None:
    data = np.rint(sky((150, 200))).astype(np.int16)
    data[:20] += 500
    plain = preview(path, fits.PrimaryHDU(data))
    packed = preview(path, fits.PrimaryHDU(), fits.CompImageHDU(data, compression_type=compression))
    assert packed.small == plain.small
    assert packed.large == plain.large
    assert packed.data_mean == plain.data_mean


@pytest.mark.parametrize("tile", [(1, 200), (16, 16), (150, 200), (150, 7)])
def test_any_tiling(path: Path, tile: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.fits.decompress.BLOCK_PIXELS", 1000)
    data = np.rint(sky((150, 200))).astype(np.uint16)
    plain = preview(path, fits.PrimaryHDU(data))
    packed = preview(path, fits.PrimaryHDU(), fits.CompImageHDU(data, tile_shape=tile))
    assert packed.small == plain.small
    assert packed.data_mean == plain.data_mean


@pytest.mark.parametrize("compression", ["RICE_1", "GZIP_2", "HCOMPRESS_1"])
def test_quantized_floats(path: Path, compression: str) -> None:
    data = sky((200, 200)).astype(np.float32)
    data[50:60, 50:60] = np.nan
    kind = {"compression_type": compression, "quantize_method": 1 if compression == "RICE_1" else -1}
    if compression == "HCOMPRESS_1":
        data[50:60, 50:60] = 1000
    found = preview(path, fits.PrimaryHDU(), fits.CompImageHDU(data, **kind))
    assert found.data_mean == pytest.approx(float(np.nanmean(data)), rel=1e-4)
    good = np.isfinite(data[::-1])
    assert np.abs(grey(found.small).astype(int) - reference(data, (200, 200)))[good].max() <= 8
    assert not grey(found.small)[~good].any()


def test_lossless_compressed_floats_keep_nan(path: Path) -> None:
    data = sky((200, 200))
    data[3:5] = np.nan
    found = preview(path, fits.PrimaryHDU(), fits.CompImageHDU(data, compression_type="GZIP_2", quantize_level=0))
    assert found.data_mean == pytest.approx(float(np.nanmean(data)))
    assert not grey(found.small)[-5:-3].any()


def test_blank_and_scaling(path: Path) -> None:
    stored = np.rint(sky((100, 200))).astype(np.int16)
    stored[:, :50] = -999
    hdu = fits.PrimaryHDU(stored)
    hdu.header.update(BLANK=-999)
    hdu.writeto(path)
    with fits.open(path, mode="update", do_not_scale_image_data=True) as file:
        file[0].header["BSCALE"], file[0].header["BZERO"] = -0.5, 10.0
    found = render_previews(path, describe_plainly(path))
    known = stored[:, 50:]
    assert found.data_mean == pytest.approx(10.0 - 0.5 * known.mean())
    picture = grey(found.small)
    assert not picture[:, :50].any()
    assert np.abs(picture[:, 50:].astype(int) - reference(-0.5 * known, (150, 100))).max() <= 1


@pytest.mark.parametrize("value", [0.0, 1000.0, np.nan, np.inf, 1e308, -3.4e38])
def test_constant_images(path: Path, value: float) -> None:
    found = preview(path, fits.PrimaryHDU(np.full((20, 30), value)))
    picture = grey(found.small)
    assert picture.min() == picture.max() == (128 if math.isfinite(value) else 0)
    assert (found.data_mean is None) == (not math.isfinite(value) or value == 1e308)
    assert bool(found.notes) == (found.data_mean is None)


def test_infinities_are_left_out(path: Path) -> None:
    data = sky((100, 200))
    clean = data.copy()
    data[0, 0], data[5, 5], data[7, 7] = np.inf, -np.inf, np.nan
    found = preview(path, fits.PrimaryHDU(data))
    assert found.data_mean == pytest.approx(clean[np.isfinite(data)].mean())
    assert np.abs(grey(found.small).astype(int) - reference(clean, (200, 100)))[:90].max() <= 1


def test_a_mask_shows_its_few_pixels(path: Path) -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[50, 50] = 1
    assert grey(preview(path, fits.PrimaryHDU(mask)).small).max() == 255


@pytest.mark.parametrize("compressed", [False, True])
def test_a_cube_shows_its_first_plane(path: Path, compressed: bool) -> None:
    cube = np.stack([np.rint(sky((60, 80), seed)) for seed in range(5)]).astype(np.int16)
    first = preview(path, fits.PrimaryHDU(cube[0]))
    hdus = (
        [fits.PrimaryHDU(), fits.CompImageHDU(cube, tile_shape=(2, 16, 80))] if compressed else [fits.PrimaryHDU(cube)]
    )
    found = preview(path, *hdus)
    assert found.small == first.small
    assert found.data_mean == pytest.approx(cube.mean())


def test_four_axes(path: Path) -> None:
    cube = np.arange(2 * 3 * 20 * 30, dtype=np.int32).reshape(2, 3, 20, 30)
    plain = preview(path, fits.PrimaryHDU(cube))
    packed = preview(path, fits.PrimaryHDU(), fits.CompImageHDU(cube, tile_shape=(2, 1, 7, 30)))
    assert plain.small == packed.small == preview(path, fits.PrimaryHDU(cube[0, 0])).small
    assert plain.data_mean == packed.data_mean == cube.mean()


def test_a_spectrum_is_a_line(path: Path) -> None:
    values = np.concatenate([np.zeros(500), np.full(500, 10.0)]).astype(np.float32)
    values[490:510] = np.nan
    found = preview(path, fits.PrimaryHDU(values))
    picture = grey(found.large)
    lit = picture[10:700, 10:-10] > 200
    left, right = (np.flatnonzero(lit[:, half].any(axis=1)).mean() for half in (slice(0, 400), slice(600, None)))
    assert left > right + 300
    assert found.data_mean == pytest.approx(np.nanmean(values))
    assert found.large_type == "image/png"


def test_a_catalogue_is_drawn_with_east_left_and_north_up(path: Path) -> None:
    columns = [fits.Column("ra", "D", array=[0.1, 359.9, 0.1]), fits.Column("DEC", "E", array=[-0.1, -0.1, 0.1])]
    found = preview(path, fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns))
    points = grey(found.small) > 200
    assert points[:75, :100].any()
    assert points[75:, :100].any()
    assert points[75:, 100:].any()
    assert not points[:75, 100:].any()
    assert found.data_mean is None


@pytest.mark.parametrize(
    "hdu",
    [
        fits.BinTableHDU.from_columns([fits.Column("NAME", "8A", array=["a", "b"])]),
        fits.BinTableHDU.from_columns([fits.Column("X", "PE()", array=np.array([[1.0], [2.0, 3.0]], dtype=object))]),
        fits.BinTableHDU.from_columns([fits.Column("X", "2E", array=np.ones((3, 2))), fits.Column("Y", "E")]),
        fits.TableHDU.from_columns([fits.Column("X", "E12.3", array=[1.0, 2.0]), fits.Column("Y", "I4", array=[1, 2])]),
        fits.ImageHDU(),
    ],
)
def test_what_has_no_picture_is_told_in_words(path: Path, hdu: Any) -> None:
    found = preview(path, fits.PrimaryHDU(), hdu)
    assert Image.open(io.BytesIO(found.small)).size == drawing.SMALL
    assert Image.open(io.BytesIO(found.large)).size == drawing.LARGE
    assert (grey(found.large) > 150).any()
    assert found.data_mean is None


def test_a_nan_column_is_drawn_empty(path: Path) -> None:
    columns = [fits.Column("X", "E", array=[np.nan, np.inf]), fits.Column("Y", "E", array=[1, 2])]
    assert not (grey(preview(path, fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)).small) > 200).any()


def test_random_groups_show_their_uv_plane(path: Path) -> None:
    groups = fits.GroupData(
        np.zeros((50, 1, 1, 3), np.float32), bitpix=-32, parnames=["UU", "VV"], pardata=[np.arange(50.0), np.zeros(50)]
    )
    found = preview(path, fits.GroupsHDU(groups))
    lit = np.flatnonzero((grey(found.small)[10:-10, 10:-10] > 200).any(axis=1))
    assert 0 < lit.size <= 4


def test_more_pixels_than_are_sampled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.fits.levels.SAMPLE_BYTES", 40_000)
    monkeypatch.setattr("shared.fits.pixels.BLOCK_PIXELS", 5000)
    data = sky((400, 400))
    found = preview(path, fits.PrimaryHDU(data))
    assert np.abs(grey(found.small).astype(int) - reference(data, (200, 200))).max() <= 8


@settings(deadline=None, max_examples=40)
@given(
    data=hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.int32, np.int64, np.float32, np.float64]),
        hnp.array_shapes(min_dims=1, max_dims=4, max_side=12),
    ),
    block=st.integers(1, 40),
)
def test_any_image_has_previews(tmp_path_factory: pytest.TempPathFactory, data: Array, block: int) -> None:
    path = tmp_path_factory.mktemp("any") / "frame.fits"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.fits.pixels.BLOCK_PIXELS", block)
        patch.setattr("shared.fits.shrink.SIDE", 3)
        found = preview(path, fits.PrimaryHDU(data))
    finite = data.astype(np.float64)[np.isfinite(data)]
    with np.errstate(all="ignore"):
        mean = finite.mean() if finite.size else np.nan
        spread = np.abs(finite).max() if finite.size else 0
    if np.isfinite(mean):
        assert found.data_mean == pytest.approx(mean, rel=1e-6, abs=1e-6 * spread)
    else:
        assert found.data_mean is None
    assert Image.open(io.BytesIO(found.small)).width == 200


class TestHostile:
    def write(self, path: Path, data: Array | None = None, **options: Any) -> bytearray:
        data = np.rint(sky((64, 64))).astype(np.int32) if data is None else data
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, **options)]).writeto(path, overwrite=True)
        return bytearray(path.read_bytes())

    def patch(self, path: Path, keyword: str, value: str) -> None:
        raw = bytearray(path.read_bytes())
        place = raw.index(f"{keyword:<8}= ".encode())
        raw[place : place + 80] = f"{keyword:<8}= {value:>20}".ljust(80).encode()
        path.write_bytes(raw)

    @pytest.mark.parametrize(
        ("keyword", "value", "words"),
        [
            ("ZNAXIS2", "65", "65 tiles"),
            ("ZTILE1", "0", "not a tile size"),
            ("ZTILE2", "-1", "not a tile size"),
            ("ZCMPTYPE", "'MAGIC'", "not a known compression"),
            ("ZVAL1", "0", "BLOCKSIZE"),
            ("ZVAL2", "3", "BYTEPIX"),
            ("TTYPE1", "'SOMETHING'", "COMPRESSED_DATA"),
            ("TFORM1", "'1J'", "COMPRESSED_DATA"),
            ("ZBITPIX", "17", "cannot be decoded"),
        ],
    )
    def test_a_lying_header(self, path: Path, keyword: str, value: str, words: str) -> None:
        self.write(path)
        self.patch(path, keyword, value)
        with pytest.raises(BadDataError, match=r"HDU 1.*" + words):
            render_previews(path, describe_plainly(path))

    def test_tiles_too_large_to_decode_give_words(self, path: Path) -> None:
        self.write(path)
        for keyword in ("ZNAXIS1", "ZNAXIS2", "ZTILE1", "ZTILE2"):
            self.patch(path, keyword, "100000")
        found = render_previews(path, describe_plainly(path))
        assert "too large" in found.notes[0]
        assert found.data_mean is None

    def test_an_image_too_large_to_decode_gives_words(self, path: Path) -> None:
        self.write(path)
        self.patch(path, "ZNAXIS2", "2000000000")
        assert "too many" in render_previews(path, describe_plainly(path)).notes[0]

    def test_hcompress_tile_for_more_pixels_than_there_is_room_for(self, path: Path) -> None:
        raw = self.write(path, compression_type="HCOMPRESS_1")
        place = raw.index(b"\xdd\x99")
        raw[place + 2 : place + 6] = (100_000).to_bytes(4)
        path.write_bytes(raw)
        with pytest.raises(BadDataError, match="tile 1 does not hold"):
            render_previews(path, describe_plainly(path))

    def test_gzip_tile_that_unpacks_to_far_too_much(self, path: Path) -> None:
        raw = self.write(path, np.zeros((1024, 1024), np.int32), compression_type="GZIP_1", tile_shape=(1024, 1024))
        squeezer = zlib.compressobj(9, wbits=31)
        bomb = squeezer.compress(bytes(2**28)) + squeezer.flush()
        description = describe_plainly(path)
        offset = description.hdus[1].data_offset
        raw[offset : offset + 8] = len(bomb).to_bytes(4) + (0).to_bytes(4)
        path.write_bytes(bytes(raw[: offset + 8]) + bomb.ljust(-(-(len(bomb) + 8) // 2880) * 2880 - 8, b"\0"))
        self.patch(path, "PCOUNT", str(len(bomb)))
        with pytest.raises(BadDataError, match="tile 1 does not hold"):
            render_previews(path, describe_plainly(path))

    @pytest.mark.parametrize("compression", COMPRESSIONS)
    @pytest.mark.parametrize("seed", range(6))
    def test_damaged_bytes_are_refused_or_shown(self, path: Path, compression: str, seed: int) -> None:
        raw = self.write(path, compression_type=compression)
        description = describe_plainly(path)
        hdu = description.hdus[1]
        rng = np.random.default_rng(seed)
        for place in rng.integers(hdu.data_offset, hdu.data_offset + hdu.data_bytes, 1 + 4 * seed):
            raw[place] = rng.integers(256)
        path.write_bytes(raw)
        with contextlib.suppress(BadDataError):
            assert grey(render_previews(path, description).small).shape == (200, 200)

    def test_a_plain_image_that_is_cut_off(self, path: Path) -> None:
        preview(path, fits.PrimaryHDU(sky((100, 100))))
        description = describe_plainly(path)
        path.write_bytes(path.read_bytes()[:20_000])
        with pytest.raises(BadDataError, match=r"HDU 0: the image needs 80,000 bytes of data, the file has 17,120"):
            render_previews(path, description)

    def test_a_table_that_is_cut_off(self, path: Path) -> None:
        columns = [fits.Column(name, "D", array=np.arange(5000.0)) for name in "XY"]
        preview(path, fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns))
        description = describe_plainly(path)
        path.write_bytes(path.read_bytes()[:20_000])
        with pytest.raises(BadDataError, match="the file ends before"):
            render_previews(path, description)
