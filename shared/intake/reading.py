"""What must be known of an uploaded file before it is stored: that it is FITS, and its science header."""

from dataclasses import dataclass
from pathlib import Path

from shared.errors import BadHeaderError, MissingKeywordError, UploadError
from shared.fits.container import unpacked
from shared.fits.dates import parse_moment
from shared.fits.model import Container, Hdu
from shared.fits.structure import read_structure
from shared.fits.tiles import image_cards
from shared.fits.values import number
from shared.naming.header import Header, header_value
from shared.naming.keys import quoted

__all__ = ["UploadedFrame", "check_keywords", "read_upload"]

_SCIENCE = "SCI"
_IMAGES = frozenset({"image", "compressed-image"})


@dataclass(frozen=True, slots=True)
class UploadedFrame:
    """What an uploaded file is: the header of its science image, what it is packed into, whether in tiles."""

    header: Header
    container: Container
    is_tiled: bool


def read_upload(path: Path, *, work_dir: Path, limit: int) -> UploadedFrame:
    """Walk over a file, whatever its name.

    Parameters
    ----------
    work_dir
        Folder for the plain file where ``path`` is a gzip or bzip2 stream.
    limit
        Most bytes that a stream may unpack to.

    Raises
    ------
    FitsError
        The file is not FITS, or broken.
    UploadError
        There is no HDU ``SCI``; the text is the predecessor's.
    """
    with unpacked(path, work_dir=work_dir, limit=limit) as (plain, container):
        hdus = read_structure(plain, verify=False).hdus
    cards = image_cards(_science(hdus))
    header = {card.keyword: card.value for card in reversed(cards)}
    return UploadedFrame(header, container, any(hdu.kind == "compressed-image" for hdu in hdus))


def check_keywords(header: Header, *, needs_name: bool) -> None:
    """Refuse a header that lacks what every frame of the API has, in the words and in the order of the predecessor.

    Raises
    ------
    MissingKeywordError, UploadError
        SITEID, DAY-OBS, FNAME (unless a template makes the name), DATE-OBS or EXPTIME is not there.
    BadHeaderError
        DATE-OBS is not a date, or EXPTIME not a number.
    """
    for keyword in ("SITEID", "DAY-OBS", *(["FNAME"] if needs_name else [])):
        header_value(header, keyword)
    if "DATE-OBS" not in header:
        raise UploadError("Could not find DATE-OBS in FITS header.")
    if parse_moment(header["DATE-OBS"]) is None:
        raise BadHeaderError(f"DATE-OBS = {quoted(str(header['DATE-OBS']))} is not a date")
    if "EXPTIME" not in header:
        raise MissingKeywordError("EXPTIME")
    if number(header["EXPTIME"]) is None:
        raise BadHeaderError(f"EXPTIME = {quoted(str(header['EXPTIME']))} is not a number")


def _science(hdus: tuple[Hdu, ...]) -> Hdu:
    named = [hdu for hdu in hdus if hdu.name.upper() == _SCIENCE]
    if not named:
        raise UploadError(f"\"Extension '{_SCIENCE}' not found.\"")
    images = (hdu for hdu in named if hdu.kind in _IMAGES and len(hdu.axes) >= 2 and 0 not in hdu.axes)
    found = next(images, None)
    if found is None:
        raise BadHeaderError(f"HDU {named[0].index} ({_SCIENCE}) holds no image")
    return found
