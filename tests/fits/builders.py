"""FITS files made from raw 80-column records, so that tests can write what astropy would refuse."""

import struct
from pathlib import Path

import numpy as np

from shared.fits.describe import describe
from shared.fits.model import Container, FitsDescription, Observation

BLOCK = 2880


def record(text: str | bytes) -> bytes:
    """Return one 80-byte header record."""
    raw = text if isinstance(text, bytes) else text.encode("latin-1")
    assert len(raw) <= 80, raw
    return raw.ljust(80)


def card(keyword: str, value: object, comment: str = "") -> str:
    """Return a card's text; strings are quoted, ``None`` is undefined."""
    if isinstance(value, bool):
        field = f"{'T' if value else 'F':>20}"
    elif isinstance(value, str):
        quoted = value.replace("'", "''")
        field = f"'{quoted:<8}'"
    else:
        field = "" if value is None else f"{value!r:>20}"
    begin = f"{keyword:<8}= " if len(keyword) <= 8 and " " not in keyword else f"HIERARCH {keyword} = "
    return begin + field + (f" / {comment}" if comment else "")


def header(*texts: str | bytes) -> bytes:
    """Return a header with END, padded to whole blocks."""
    raw = b"".join(record(text) for text in (*texts, "END"))
    return raw + b" " * (-len(raw) % BLOCK)


def padded(data: bytes) -> bytes:
    """Fill a data unit up to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def image(*texts: str | bytes, axes: tuple[int, ...] = (4, 3), extension: bool = False, bitpix: int = 16) -> bytes:
    """Return an image HDU of zeros with further cards."""
    first = card("XTENSION", "IMAGE") if extension else card("SIMPLE", True)
    lengths = [card(f"NAXIS{n}", length) for n, length in enumerate(axes, 1)]
    counts = [card("PCOUNT", 0), card("GCOUNT", 1)] if extension else []
    size = abs(bitpix) // 8 * int(np.prod(axes, dtype=object)) if axes else 0
    head = header(first, card("BITPIX", bitpix), card("NAXIS", len(axes)), *lengths, *counts, *texts)
    return head + padded(bytes(size))


def compressed(
    *texts: str | bytes, axes: tuple[int, int] = (6, 4), rows: int | None = None, start: int = 0, length: int = 8
) -> bytes:
    """Return a tile-compressed HDU, one row of the image a tile; ``start`` moves the tiles in the heap."""
    tiles = axes[1] if rows is None else rows
    heap = bytes(length * tiles)
    table = b"".join(struct.pack(">ii", length, start + n * length) for n in range(tiles))
    head = header(
        card("XTENSION", "BINTABLE"),
        card("BITPIX", 8),
        card("NAXIS", 2),
        card("NAXIS1", 8),
        card("NAXIS2", tiles),
        card("PCOUNT", len(heap)),
        card("GCOUNT", 1),
        card("TFIELDS", 1),
        card("TTYPE1", "COMPRESSED_DATA"),
        card("TFORM1", "1PB(8)"),
        card("ZIMAGE", True),
        card("ZBITPIX", 16),
        card("ZNAXIS", 2),
        card("ZNAXIS1", axes[0]),
        card("ZNAXIS2", axes[1]),
        card("ZCMPTYPE", "RICE_1"),
        *texts,
    )
    return head + padded(table + heap)


def table(*texts: str | bytes, rows: int = 2) -> bytes:
    """Return a binary table with one integer column."""
    shape = [card("BITPIX", 8), card("NAXIS", 2), card("NAXIS1", 4), card("NAXIS2", rows)]
    columns = [card("PCOUNT", 0), card("GCOUNT", 1), card("TFIELDS", 1), card("TFORM1", "1J")]
    return header(card("XTENSION", "BINTABLE"), *shape, *columns, *texts) + padded(bytes(4 * rows))


def wcs(ra: float = 10.0, dec: float = 20.0, *, scale: float = 1e-3, n: tuple[float, float] = (2.5, 2.0)) -> list[str]:
    """Return the cards of a TAN projection, north up."""
    values: dict[str, object] = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": ra, "CRVAL2": dec}
    values |= {"CRPIX1": n[0], "CRPIX2": n[1], "CDELT1": -scale, "CDELT2": scale}
    return [card(keyword, value) for keyword, value in values.items()]


def write(folder: Path, *hdus: bytes, name: str = "frame.fits") -> Path:
    """Write HDUs to a file."""
    path = folder / name
    path.write_bytes(b"".join(hdus))
    return path


def described(folder: Path, *hdus: bytes) -> FitsDescription:
    """Describe a file of these HDUs."""
    return describe(write(folder, *hdus), container=Container.NONE)


def observed(folder: Path, *texts: str | bytes, axes: tuple[int, ...] = (4, 3)) -> Observation:
    """Return the archive's fields of a single image with these cards."""
    return described(folder, image(*texts, axes=axes)).observation
