"""The two previews of a frame, whatever it is."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from shared.errors import TooLargeError
from shared.fits import drawing
from shared.fits.columns import Column, group_parameters, read_columns, row_count, row_layout
from shared.fits.decompress import TiledImage
from shared.fits.grey import encode_jpeg, encode_png, large_size, paint, small_size
from shared.fits.model import FitsDescription, Hdu
from shared.fits.pixels import PixelSource, PlainImage, card_value, hdu_label, scaling_of
from shared.fits.shrink import Section, Shrunk, shrink

__all__ = ["Previews", "render_previews", "trim_section"]

JPEG, PNG = "image/jpeg", "image/png"
LOSSLESS_SIDE = 256
SECTION = re.compile(r"\s*\[\s*(\d{1,12})\s*:\s*(\d{1,12})\s*,\s*(\d{1,12})\s*:\s*(\d{1,12})\s*\]\s*")
SKY_PAIRS = (
    ("RA", "DEC"),
    ("ALPHA_J2000", "DELTA_J2000"),
    ("ALPHAWIN_J2000", "DELTAWIN_J2000"),
    ("RAJ2000", "DEJ2000"),
    ("RA_ICRS", "DE_ICRS"),
    ("RA_DEG", "DEC_DEG"),
)
PLANE_PAIRS = (
    ("X", "Y"),
    ("X_IMAGE", "Y_IMAGE"),
    ("XWIN_IMAGE", "YWIN_IMAGE"),
    ("XWIN", "YWIN"),
    ("XCENTROID", "YCENTROID"),
    ("X_CENTER", "Y_CENTER"),
    ("UU", "VV"),
    ("UU---SIN", "VV---SIN"),
)


@dataclass(frozen=True, slots=True)
class Previews:
    """A frame's pictures.

    ``small`` is a PNG 200 pixels wide; ``large`` has up to 1024 pixels on its longer side and is of the MIME type
    ``large_type``: JPEG for images, whose noise other formats pay dearly for, PNG for drawings and tiny images.
    ``data_mean`` is the mean of the science image in physical values, over all planes and untrimmed, without NaN and
    infinities; None if there is no image. ``notes`` are oddities met on the way.
    """

    small: bytes
    large: bytes
    large_type: str
    data_mean: float | None
    notes: tuple[str, ...] = ()


def render_previews(path: Path, description: FitsDescription) -> Previews:
    """Render the previews of a plain (unpacked) FITS file in bounded memory.

    An image is shown by its first plane, trimmed to TRIMSEC, in linear grey between its 5 % and 95 % percentiles (of
    DATASEC, where there is overscan and no TRIMSEC); a one-dimensional one as a line; a table with positions by
    points; anything else by words.

    Raises
    ------
    BadDataError
        If the pixels of the image cannot be read.
    """
    hdu = _shown(description)
    if hdu is None:
        return _words(["header only", f"{len(description.header):,} cards"])
    try:
        if _has_pixels(hdu):
            return _image(path, hdu)
        columns = group_parameters(hdu) if hdu.kind == "random-groups" else row_layout(hdu.cards)
        return _table(path, hdu, columns)
    except TooLargeError as error:
        return _words(_summary(hdu), str(error))


def _shown(description: FitsDescription) -> Hdu | None:
    """Choose the HDU to show: the science image, else any image, else a table with positions, else any table."""
    science = description.hdus[description.science]
    images = [hdu for hdu in (science, *description.hdus) if _has_pixels(hdu)]
    tables = [hdu for hdu in (science, *description.hdus) if row_count(hdu) and hdu.kind not in _IMAGES]
    placed = [hdu for hdu in tables if _position_columns(_columns(hdu))]
    return next(iter([*images, *placed, *tables]), None)


_IMAGES: dict[str, type[PlainImage] | type[TiledImage]] = {"image": PlainImage, "compressed-image": TiledImage}


def _has_pixels(hdu: Hdu) -> bool:
    return hdu.kind in _IMAGES and bool(hdu.axes) and all(axis > 0 for axis in hdu.axes)


def _image(path: Path, hdu: Hdu) -> Previews:
    source: PixelSource = _IMAGES[hdu.kind](path, hdu)
    section, notes = trim_section(hdu, source.shape)
    image = shrink(source, scaling_of(hdu), section, _lit_section(hdu, source.shape))
    if image.mean is None:
        notes = (*notes, f"{hdu_label(hdu)}: no pixel has a finite value")
    if source.shape[0] == 1 and len(hdu.axes) != 2:
        return _drawn(lambda size: _spectrum(hdu, image, size), image.mean, notes)
    small = encode_png(paint(image, small_size(image.shape)))
    if image.shape[0] == 1:
        return Previews(small, encode_png(_spectrum(hdu, image, drawing.LARGE)), PNG, image.mean, notes)
    large = paint(image, large_size(image.shape))
    if max(large.size) <= LOSSLESS_SIDE:
        return Previews(small, encode_png(large), PNG, image.mean, notes)
    return Previews(small, encode_jpeg(large), JPEG, image.mean, notes)


def trim_section(hdu: Hdu, shape: tuple[int, int]) -> tuple[Section, tuple[str, ...]]:
    """Read the HDU's TRIMSEC (1-based, inclusive); one that is no section of the image counts for nothing, with a note.

    Words for "none", such as UNKNOWN, are passed over in silence.
    """
    rows, columns = shape
    whole = Section(0, rows, 0, columns)
    text = card_value(hdu.cards, "TRIMSEC")
    if not isinstance(text, str) or SECTION.fullmatch(text) is None:
        return whole, ()
    section = _section(hdu, "TRIMSEC", shape)
    if section is not None:
        return section, ()
    return whole, (f"{hdu_label(hdu)}: TRIMSEC = {text[:60]!r} is not a part of its {columns} x {rows} pixels",)


def _lit_section(hdu: Hdu, shape: tuple[int, int]) -> Section | None:
    """Return DATASEC where only it and BIASSEC tell light from overscan, which would spoil the grey scale."""
    if _section(hdu, "TRIMSEC", shape) is not None or _section(hdu, "BIASSEC", shape) is None:
        return None
    return _section(hdu, "DATASEC", shape)


def _section(hdu: Hdu, keyword: str, shape: tuple[int, int]) -> Section | None:
    """Read a section keyword (1-based, inclusive); None if it is absent, unreadable or not within the image."""
    text = card_value(hdu.cards, keyword)
    match = SECTION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    x1, x2, y1, y2 = (int(group) for group in match.groups())
    inside = 1 <= x1 <= x2 <= shape[1] and 1 <= y1 <= y2 <= shape[0]
    return Section(y1 - 1, y2, x1 - 1, x2) if inside else None


def _spectrum(hdu: Hdu, image: Shrunk, size: tuple[int, int]) -> Image.Image:
    return drawing.draw_spectrum(image.values[0], size, _axis_labels(hdu))


def _axis_labels(hdu: Hdu) -> tuple[str, ...]:
    """Name the ends of a linear first axis by its WCS, else (and for a row of an image) by pixel numbers."""
    length = hdu.axes[0]
    if len(hdu.axes) == 2:
        return "1", f"{length:,} pixels"
    step = card_value(hdu.cards, "CDELT1") or card_value(hdu.cards, "CD1_1")
    values = [card_value(hdu.cards, "CRVAL1"), step, card_value(hdu.cards, "CRPIX1") or 1.0]
    numbers = [value for value in values if isinstance(value, int | float) and abs(value) < 1e30]
    if len(numbers) < 3 or not numbers[1]:
        return "1", f"{length:,} pixels"
    start, end = (numbers[0] + (pixel - numbers[2]) * numbers[1] for pixel in (1, length))
    unit = card_value(hdu.cards, "CUNIT1")
    return f"{start:.6g}", f"{end:.6g} {str(unit)[:20] if unit else ''}".strip()


def _columns(hdu: Hdu) -> tuple[Column, ...]:
    if hdu.kind == "random-groups":
        return group_parameters(hdu)
    return row_layout(hdu.cards) if hdu.kind == "table" else ()


def _position_columns(columns: Iterable[Column]) -> tuple[Column, Column, bool] | None:
    """Find a pair of columns to draw, and whether they are right ascension and declination."""
    numbers = {column.name: column for column in columns if column.dtype}
    for pairs, sky in ((PLANE_PAIRS, False), (SKY_PAIRS, True)):
        for first, second in pairs:
            if first in numbers and second in numbers:
                return numbers[first], numbers[second], sky
    return None


def _table(path: Path, hdu: Hdu, columns: tuple[Column, ...]) -> Previews:
    found = _position_columns(_columns(hdu))
    if found is None:
        return _words(_summary(hdu))
    first, second, sky = found
    x, y = read_columns(path, hdu, (first, second))
    labels = (f"{row_count(hdu):,} rows x {len(columns)} columns", f"{second.name} over {first.name}")
    return _drawn(lambda size: drawing.draw_points(x, y, size, sky=sky, labels=labels), None, ())


def _summary(hdu: Hdu) -> list[str]:
    """Say in words what an HDU holds."""
    if hdu.kind in _IMAGES:
        return ["image", " x ".join(f"{axis:,}" for axis in hdu.axes), "no preview"]
    if hdu.kind == "random-groups":
        return ["random groups", f"{row_count(hdu):,} groups", " x ".join(str(axis) for axis in hdu.axes if axis)]
    fields = card_value(hdu.cards, "TFIELDS")
    words = ["table", f"{row_count(hdu):,} rows"]
    return [*words, f"{fields:,} columns"] if type(fields) is int else words


def _words(lines: list[str], *notes: str) -> Previews:
    return _drawn(lambda size: drawing.draw_words([line[:40] for line in lines], size), None, notes)


def _drawn(draw: Callable[[tuple[int, int]], Image.Image], mean: float | None, notes: tuple[str, ...]) -> Previews:
    mean = mean if mean is None or math.isfinite(mean) else None
    return Previews(encode_png(draw(drawing.SMALL)), encode_png(draw(drawing.LARGE)), PNG, mean, notes)
