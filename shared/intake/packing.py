"""A plain FITS file packed into tiles without loss: RICE_1 for integers, GZIP_2 without quantisation for the rest.

Nothing is trusted: what was written is read again and compared. Needs astropy, and memory for the largest image.
"""

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from shared.fits.container import unpacked

__all__ = ["pack_file"]

_log = logging.getLogger("fitsvault.intake")

_SUMS = ("CHECKSUM", "DATASUM")
_SCALING = ("BSCALE", "BZERO")
_OF_THE_FILE = frozenset({*_SUMS, "SIMPLE", "XTENSION", "EXTEND", "PCOUNT", "GCOUNT", "BITPIX", "NAXIS", "NAXIS1"})
_RAW = {"do_not_scale_image_data": True, "memmap": True, "lazy_load_hdus": False}


def pack_file(path: Path, *, limit: int) -> Path | None:
    """Pack every image of two axes or more, and return the packed file, which lies beside ``path``.

    All other HDUs and all header cards are kept. Checksums are made anew where there were any.

    Parameters
    ----------
    limit
        Most bytes that a gzip or bzip2 stream may unpack to.

    Returns
    -------
    Path or None
        None if there is no such image, or if anything at all would not be the same afterwards.
    """
    target = path.with_name("packed.fits.fz")
    with unpacked(path, work_dir=path.parent, limit=limit) as (plain, _):
        try:
            if _pack(plain, target) and _is_same(plain, target):
                return target
        except Exception as error:  # noqa: BLE001 - whatever astropy meets: the file is stored as it was sent
            _log.warning("not packed", extra={"reason": f"{type(error).__name__}: {error}"})
    target.unlink(missing_ok=True)
    return None


def _pack(source: Path, target: Path) -> bool:
    with fits.open(source, **_RAW) as file:
        if not any(_is_image(hdu) for hdu in file):
            return False
        packed = [_packed(hdu) if _is_image(hdu) else hdu.copy() for hdu in file]
        if _is_image(file[0]):
            packed.insert(0, fits.PrimaryHDU())
        has_sums = any(keyword in hdu.header for hdu in file for keyword in _SUMS)
        fits.HDUList(packed).writeto(target, checksum=has_sums, output_verify="exception")
    return True


def _packed(hdu: Any) -> Any:
    header = hdu.header.copy()
    for keyword in _SUMS:
        header.remove(keyword, ignore_missing=True, remove_all=True)
    is_rice = hdu.data.dtype.kind in "iu" and hdu.data.dtype.itemsize <= 4
    how = {"compression_type": "RICE_1"} if is_rice else {"compression_type": "GZIP_2", "quantize_level": 0.0}
    packed = fits.CompImageHDU(hdu.data, header, do_not_scale_image_data=True, **how)
    for keyword in _SCALING:
        if keyword in hdu.header:
            packed.header[keyword] = (hdu.header[keyword], hdu.header.comments[keyword])
    return packed


def _is_same(source: Path, target: Path) -> bool:
    with fits.open(source, **_RAW) as old, fits.open(target, **_RAW) as new:
        hdus = list(new)[1:] if _is_image(old[0]) else list(new)
        return len(old) == len(hdus) and all(
            _same_cards(before, after) and _same_data(before, after) for before, after in zip(old, hdus, strict=True)
        )


def _same_cards(before: Any, after: Any) -> bool:
    cards = [Counter((c.keyword, repr(c.value)) for c in hdu.header.cards if _counts(c)) for hdu in (before, after)]
    return cards[0] == cards[1]


def _counts(card: Any) -> bool:
    return card.keyword not in _OF_THE_FILE and bool(card.keyword or str(card.value).strip())


def _same_data(before: Any, after: Any) -> bool:
    """Compare pixels by their bits, so that NaN and -0.0 count, and other data units byte by byte."""
    if not _is_image(before):
        return bool(_data_unit(before) == _data_unit(after))
    old, new = before.data, after.data
    if old.shape != new.shape or old.dtype.newbyteorder("=") != new.dtype.newbyteorder("="):
        return False
    bits = np.dtype(f"u{old.dtype.itemsize}")
    return all(np.array_equal(_bits(a, bits), _bits(b, bits)) for a, b in zip(old, new, strict=True))


def _bits(plane: Any, bits: np.dtype[Any]) -> Any:
    return np.ascontiguousarray(plane, plane.dtype.newbyteorder("=")).view(bits)


def _data_unit(hdu: Any) -> bytes:
    place = hdu.fileinfo()
    place["file"].seek(place["datLoc"])
    return bytes(place["file"].read(place["datSpan"]))


def _is_image(hdu: Any) -> bool:
    """Whether this is an image that is packed: not yet in tiles, and with rows."""
    is_plain = isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU) and not isinstance(hdu, fits.GroupsHDU)
    return is_plain and hdu.data is not None and hdu.data.ndim >= 2 and hdu.data.size > 0
