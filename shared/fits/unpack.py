"""A tile-compressed FITS file as the plain one that it was made of, with no more of it in memory than some rows."""

import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits

from shared.errors import BadDataError

__all__ = ["unpack_tiles"]

_BLOCK = 2880
_ROWS_BYTES = 16 << 20
_SUMS = ("CHECKSUM", "DATASUM", "ZHECKSUM", "ZDATASUM")
_RAW = {"do_not_scale_image_data": True, "memmap": True, "lazy_load_hdus": False}


def unpack_tiles(source: Path, target: Path) -> None:
    """Write ``source`` to ``target`` with every tile-compressed image as a plain one.

    A primary HDU without data that was only put before a compressed primary image goes. All other HDUs and all cards
    are kept, but for the checksums of what was compressed: they are not those of what comes out where tiles are lossy.

    Raises
    ------
    BadDataError
        A tile cannot be read.
    """
    try:
        with fits.open(source, **_RAW) as file, target.open("wb") as out:
            hdus = list(file)
            if len(hdus) > 1 and _was_primary(hdus[1]) and hdus[0].data is None:
                hdus = hdus[1:]
            for number, hdu in enumerate(hdus):
                if isinstance(hdu, fits.CompImageHDU):
                    _write_image(hdu, out, is_primary=number == 0)
                else:
                    _copy(hdu, out)
    except (ValueError, TypeError, KeyError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadDataError(f"tiles cannot be read: {error}") from error


def _was_primary(hdu: Any) -> bool:
    return isinstance(hdu, fits.CompImageHDU) and "ZSIMPLE" in hdu._bintable.header  # noqa: SLF001


def _write_image(hdu: Any, out: BinaryIO, *, is_primary: bool) -> None:
    header = hdu.header.copy()
    for keyword in _SUMS:
        header.remove(keyword, ignore_missing=True, remove_all=True)
    made = fits.PrimaryHDU if is_primary else fits.ImageHDU
    shape, kind = hdu.shape, np.dtype(fits.BITPIX2DTYPE[hdu.header["BITPIX"]]).newbyteorder(">")
    out.write(_header_of(made, header, shape, kind).tostring().encode("ascii"))
    size = 0
    for rows in _row_ranges(shape, kind.itemsize):
        data = np.ascontiguousarray(hdu.section[rows], kind)
        out.write(data.data)
        size += data.nbytes
    out.write(bytes(-size % _BLOCK))


def _header_of(made: type, header: Any, shape: tuple[int, ...], kind: "np.dtype[Any]") -> Any:
    """Return the header of a plain image, structure first; its scaling is that of the stored numbers."""
    kept = made(None, header).header
    kept["BITPIX"], kept["NAXIS"] = fits.DTYPE2BITPIX[kind.newbyteorder("=").name], len(shape)
    after = "NAXIS"
    for number, length in enumerate(reversed(shape), 1):
        kept.set(f"NAXIS{number}", length, after=after)
        after = f"NAXIS{number}"
    for keyword in ("BSCALE", "BZERO", "BLANK"):
        if keyword in header:
            kept[keyword] = (header[keyword], header.comments[keyword])
    return kept


def _row_ranges(shape: tuple[int, ...], itemsize: int) -> list[slice]:
    """Cut the slowest axis so that each piece has some MiB."""
    row = math.prod(shape[1:]) * itemsize
    step = max(_ROWS_BYTES // max(row, 1), 1)
    return [slice(begin, min(begin + step, shape[0])) for begin in range(0, shape[0], step)]


def _copy(hdu: Any, out: BinaryIO) -> None:
    place = hdu.fileinfo()
    stream = place["file"]
    stream.seek(place["hdrLoc"])
    left = place["datLoc"] + place["datSpan"] - place["hdrLoc"]
    while left:
        chunk = stream.read(min(left, _ROWS_BYTES))
        if not chunk:
            raise BadDataError("the file ends within an HDU")
        out.write(chunk)
        left -= len(chunk)
