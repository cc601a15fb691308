import bz2
import gzip
import io
import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from shared.errors import BadDataError
from shared.fits.preview import render_previews, trim_section
from tests.fits.descriptions import describe_plainly

FRAMES = Path(__file__).resolve().parents[2] / "../shared/frames"
UNREADABLE = {"aia_171_level1_sed_mangled.fits", "empty.fits", "not_actually_fits.fits"}
CUT_OFF = {"truncated-e00.fits.fz"}

pytestmark = [
    pytest.mark.frames,
    pytest.mark.skipif(not FRAMES.is_dir(), reason="the real frames of ../shared/frames are not here"),
]


def names() -> list[str]:
    found = sorted(path.name for path in FRAMES.glob("*.f*")) if FRAMES.is_dir() else []
    return [name for name in found if name not in UNREADABLE]


def unpacked(name: str, folder: Path) -> Path:
    raw = (FRAMES / name).read_bytes()
    raw = (
        gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else bz2.decompress(raw) if raw.startswith(b"BZh") else raw
    )
    path = folder / "frame.fits"
    path.write_bytes(raw)
    return path


def sound(path: Path) -> Any:
    """Describe with astropy, which has more to complain about in these headers than is of interest here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return describe_plainly(path)


@pytest.mark.parametrize("name", [name for name in names() if name not in CUT_OFF])
def test_every_real_frame_has_previews(name: str, tmp_path: Path) -> None:
    path = unpacked(name, tmp_path)
    description = sound(path)
    found = render_previews(path, description)
    small, large = (Image.open(io.BytesIO(picture)) for picture in (found.small, found.large))
    assert small.format == "PNG"
    assert small.width == 200
    assert max(large.size) <= 1024
    hdu = description.hdus[description.science]
    if len(hdu.axes) < 2 or not all(hdu.axes):
        return
    section = trim_section(hdu, (hdu.axes[1], hdu.axes[0]))[0]
    rows, columns = section.shape
    if len(hdu.axes) == 2 or rows > 1:
        assert small.height == max(1, 200 * rows // columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, memmap=False) as file:
            pixels = np.asarray(file[hdu.index].data, np.float64)
    assert found.data_mean == pytest.approx(pixels[np.isfinite(pixels)].mean(), rel=1e-6, abs=1e-9)
    if rows > 1:
        plane = pixels.reshape(-1, *pixels.shape[-2:])[0][section.top : section.bottom, section.left : section.right]
        assert_oriented(np.asarray(small, np.float64), plane)


def assert_oriented(picture: np.ndarray[Any, Any], plane: np.ndarray[Any, Any]) -> None:
    """Check that rows brighten where the image's do, row 1 at the bottom."""
    low, high = np.percentile(plane[np.isfinite(plane)], (5, 95))
    if high <= low:
        return
    grey = np.nan_to_num(np.clip((plane - low) / (high - low), 0, 1), nan=0.0)
    places = np.linspace(0, grey.shape[0], picture.shape[0] + 1).astype(int)
    profile = np.array([grey[a : max(b, a + 1)].mean() for a, b in itertools.pairwise(places)])[::-1]
    if profile.std() > 0.02 and picture.shape[0] > 8:
        assert np.corrcoef(profile, picture.mean(axis=1))[0, 1] > 0.6


def test_a_cut_off_compressed_frame_is_refused(tmp_path: Path) -> None:
    path = unpacked("truncated-e00.fits.fz", tmp_path)
    with pytest.raises(BadDataError, match="HDU 1"):
        render_previews(path, sound(path))
