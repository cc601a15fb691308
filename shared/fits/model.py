"""What the archive knows of one FITS file: plain data, without astropy, a store or a database."""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "Card",
    "CardValue",
    "ChecksumState",
    "Container",
    "FitsDescription",
    "Hdu",
    "ImageClass",
    "Observation",
    "Relation",
    "SkyPosition",
]

CardValue = bool | int | float | complex | str | None


class Container(StrEnum):
    """The stream that a FITS file was packed into as a whole."""

    NONE = "none"
    GZIP = "gzip"
    BZIP2 = "bzip2"


class ImageClass(StrEnum):
    """What kind of frame a header's own word (IMAGETYP, OBSTYPE…) means."""

    OBJECT = "object"
    BIAS = "bias"
    DARK = "dark"
    FLAT = "flat"
    FOCUS = "focus"
    SPECTRUM = "spectrum"
    OTHER = "other"

    @property
    def is_calibration(self) -> bool:
        """Whether the frame shows no sky, so that its WCS means nothing."""
        return self in (ImageClass.BIAS, ImageClass.DARK, ImageClass.FLAT)


class ChecksumState(StrEnum):
    """What CHECKSUM and DATASUM say, over all HDUs: a failure outweighs a success, both outweigh absence."""

    ABSENT = "absent"
    VERIFIED = "verified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Card:
    """One header card: upper-case keyword without HIERARCH, value, comment (with its unit)."""

    keyword: str
    value: CardValue
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdu:
    """One HDU as it stands in the (unpacked) file.

    ``axes`` in FITS order (NAXIS1 first); for a tile-compressed image those of the image. ``kind`` is
    ``image``, ``compressed-image``, ``table``, ``ascii-table``, ``random-groups`` or the foreign XTENSION word.
    Offsets and lengths in bytes.
    """

    index: int
    kind: str
    name: str
    version: int | None
    axes: tuple[int, ...]
    bitpix: int
    header_offset: int
    data_offset: int
    data_bytes: int
    checksum: ChecksumState
    datasum: ChecksumState
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class SkyPosition:
    """ICRS right ascension [0, 360) and declination [-90, 90] in degrees."""

    ra: float
    dec: float


@dataclass(frozen=True, slots=True)
class Relation:
    """A keyword such as L1BIAS, and the file name that it names, as written."""

    keyword: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The archive's fields of one frame. What the header does not tell is None.

    Times are naive UTC; angles in degrees; exposure time in seconds; sizes in pixels.
    """

    site: str | None = None
    telescope: str | None = None
    instrument: str | None = None
    image_type: str | None = None
    image_class: ImageClass = ImageClass.OTHER
    object_name: str | None = None
    filter_name: str | None = None
    exposure_time: float | None = None
    date_obs: dt.datetime | None = None
    night: dt.date | None = None
    x_binning: int | None = None
    y_binning: int | None = None
    reduction_level: int | None = None
    proposal_id: str | None = None
    public_date: dt.datetime | None = None
    origin_name: str | None = None
    request_number: str | None = None
    observation_number: str | None = None
    position: SkyPosition | None = None
    footprint: tuple[SkyPosition, SkyPosition, SkyPosition, SkyPosition] | None = None
    altitude: float | None = None
    azimuth: float | None = None
    focus: float | None = None
    sun_altitude: float | None = None
    sun_distance: float | None = None
    moon_altitude: float | None = None
    moon_fraction: float | None = None
    moon_distance: float | None = None
    x_origin: int | None = None
    y_origin: int | None = None
    width: int | None = None
    height: int | None = None
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FitsDescription:
    """All that one pass over a FITS file tells.

    ``science`` is the index of the science HDU; ``header`` its header, completed by what only the primary header
    (or the EXTNAME-less first HDU of a ``.fz``) holds. ``notes`` are oddities that were met and survived.
    """

    container: Container
    hdus: tuple[Hdu, ...]
    science: int
    header: tuple[Card, ...]
    observation: Observation
    checksum: ChecksumState
    notes: tuple[str, ...] = field(default=())
