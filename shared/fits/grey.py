"""Grey pictures of images: resized by averaging, stretched linearly, row 1 at the bottom, encoded."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.fits.shrink import Floats, Shrunk

__all__ = [
    "LARGE_SIDE",
    "SMALL_MAX_HEIGHT",
    "SMALL_WIDTH",
    "encode_jpeg",
    "encode_png",
    "large_size",
    "paint",
    "small_size",
]

SMALL_WIDTH = 200
SMALL_MAX_HEIGHT = 2000
LARGE_SIDE = 1024
JPEG_QUALITY = 88
FLAT_GREY = 0.5


def small_size(shape: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of the small preview: 200 by ``int(200 * ny / nx)``, from 1 to 2000."""
    rows, columns = shape
    return SMALL_WIDTH, min(max(SMALL_WIDTH * rows // columns, 1), SMALL_MAX_HEIGHT)


def large_size(shape: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of the large preview: the image's own, or 1024 on its longer side."""
    scale = min(1.0, LARGE_SIDE / max(shape))
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def paint(image: Shrunk, size: tuple[int, int]) -> Image.Image:
    """Paint an image in grey, black for ``low`` and below and where there is no value, white for ``high`` and above.

    A constant image is middle grey. Enlarging repeats pixels.
    """
    with np.errstate(all="ignore"):
        span = image.high - image.low
        if span > 0 and math.isfinite(span):
            levels = (image.values - image.low) / span
        else:
            levels = np.where(np.isfinite(image.values), FLAT_GREY, np.nan)
        grey = np.clip(_resize(levels.astype(np.float32), size), 0.0, 1.0)
    return Image.fromarray(np.rint(grey[::-1] * 255.0).astype(np.uint8))


def _resize(levels: NDArray[np.float32], size: tuple[int, int]) -> Floats:
    known = np.isfinite(levels)
    if known.all():
        return _box(levels, size)
    sums = _box(np.where(known, levels, np.float32(0)), size)
    weights = _box(known.astype(np.float32), size)
    return np.where(weights > 1e-6, sums / np.maximum(weights, 1e-6), 0.0)


def _box(values: NDArray[np.float32], size: tuple[int, int]) -> Floats:
    picture = Image.fromarray(np.ascontiguousarray(values))
    return np.asarray(picture.resize(size, Image.Resampling.BOX), np.float32)


def encode_png(picture: Image.Image) -> bytes:
    """Encode as PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def encode_jpeg(picture: Image.Image) -> bytes:
    """Encode as JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
