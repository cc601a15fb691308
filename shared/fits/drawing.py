"""Drawn previews: a line for a spectrum, points for a catalogue, words for what has no picture."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from shared.fits.shrink import Floats

__all__ = ["LARGE", "SMALL", "draw_points", "draw_spectrum", "draw_words"]

SMALL = (200, 150)
LARGE = (1024, 768)
BACKGROUND, FRAME, INK, LABEL = 16, 90, 225, 170
RANGE_PERCENT = (0.5, 99.5)


def draw_spectrum(values: Floats, size: tuple[int, int], labels: Sequence[str] = ()) -> Image.Image:
    """Draw values against their place; the range holds 99 % of them, gaps are where there is no value.

    Parameters
    ----------
    values
        One value for each step along the first axis.
    size
        Width and height of the picture in pixels.
    labels
        Words for the left and the right end of the axis.
    """
    picture, draw, (left, top, right, bottom) = _canvas(size, labels)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return picture
    with np.errstate(all="ignore"):
        low, high = (float(level) for level in np.percentile(finite, RANGE_PERCENT))
        margin = 0.05 * (high - low)
        heights = (values - low + margin) / (high - low + 2 * margin) if high > low else np.full(values.shape, 0.5)
    steps = np.linspace(left + 1, right - 1, values.size)
    y = bottom - 1 - np.clip(heights, 0.0, 1.0) * (bottom - top - 2)
    known = np.isfinite(values) & np.isfinite(y)
    for run in np.split(np.arange(values.size), np.flatnonzero(np.diff(known.astype(np.int8))) + 1):
        if known[run[0]]:
            points = [(float(steps[i]), float(y[i])) for i in run]
            draw.line(points, fill=INK, width=1) if len(points) > 1 else draw.point(points, fill=INK)
    return picture


def draw_points(
    x: Floats, y: Floats, size: tuple[int, int], *, sky: bool = False, labels: Sequence[str] = ()
) -> Image.Image:
    """Draw one point for each pair at equal scales.

    With ``sky`` the pairs are right ascension and declination in degrees: east is left, and the scale of right
    ascension is that of the middle declination.
    """
    picture, draw, (left, top, right, bottom) = _canvas(size, labels)
    with np.errstate(all="ignore"):
        known = np.isfinite(x) & np.isfinite(y) & (np.abs(x) < 1e30) & (np.abs(y) < 1e30)
    if not known.any():
        return picture
    x, y = x[known], y[known]
    if sky:
        x = -_unwrapped(x) * max(math.cos(math.radians(float(np.median(y)))), 0.01)
    x_middle, y_middle = (x.max() + x.min()) / 2, (y.max() + y.min()) / 2
    spans = (np.ptp(x) / (right - left - 8), np.ptp(y) / (bottom - top - 8))
    unit = max(*spans, 1e-300)
    radius = 0.6 if size[0] < 400 else 1.5
    for dx, dy in zip(((x - x_middle) / unit).tolist(), ((y - y_middle) / unit).tolist(), strict=True):
        centre = ((left + right) / 2 + dx, (top + bottom) / 2 - dy)
        draw.rectangle([centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius], fill=INK)
    return picture


def _unwrapped(ra: Floats) -> Floats:
    """Bring right ascensions to within 180 degrees of their first."""
    return np.asarray((ra - ra[0] + 180.0) % 360.0 - 180.0)


def draw_words(lines: Sequence[str], size: tuple[int, int]) -> Image.Image:
    """Write lines in the middle of an empty picture."""
    picture = Image.new("L", size, BACKGROUND)
    draw = ImageDraw.Draw(picture)
    draw.rectangle([4, 4, size[0] - 5, size[1] - 5], outline=FRAME)
    text = "\n".join(lines)
    for points in (size[0] // 13, size[0] // 16, size[0] // 20, size[0] // 26):
        font = ImageFont.load_default(points)
        left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font=font, align="center")
        if right - left <= size[0] - 20:
            break
    place = ((size[0] - right + left) / 2 - left, (size[1] - bottom + top) / 2 - top)
    draw.multiline_text(place, text, fill=LABEL, font=font, align="center")
    return picture


def _canvas(
    size: tuple[int, int], labels: Sequence[str]
) -> tuple[Image.Image, ImageDraw.ImageDraw, tuple[int, int, int, int]]:
    """Make an empty picture with a framed field, and room for labels where the picture is large enough."""
    picture = Image.new("L", size, BACKGROUND)
    draw = ImageDraw.Draw(picture)
    width, height = size
    room = labels and width >= 400
    box = (4, 4, width - 5, height - (34 if room else 5))
    draw.rectangle(box, outline=FRAME)
    if room:
        font = ImageFont.load_default(18)
        draw.text((6, height - 28), labels[0], fill=LABEL, font=font)
        if len(labels) > 1:
            draw.text(
                (width - 6 - draw.textlength(labels[-1], font=font), height - 28), labels[-1], fill=LABEL, font=font
            )
    return picture, draw, box
