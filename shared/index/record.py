"""What the index is told of one frame: plain data, one field for each column."""

import datetime as dt
from dataclasses import dataclass

__all__ = ["FailureRecord", "FrameRecord", "LinkRecord"]


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A frame's link to another: the keyword (L1BIAS…) and the basename that it names, without extension."""

    keyword: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """One object of the science bucket as a frame.

    Times are naive UTC, angles degrees, ``exposure_time`` seconds, sizes bytes or pixels. ``basename`` has no
    extension. ``digest`` is the hex name under which the frame's derived objects stand. ``footprint`` is
    (ra, dec) of the corners (1,1) (N,1) (N,M) (1,M). ``catalog_rows`` is None for a frame without catalogue.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str
    size: int
    last_modified: dt.datetime
    crc32: int
    sha256: str
    digest: str
    basename: str
    filename: str

    site: str | None
    telescope: str | None
    instrument: str | None
    image_type: str | None
    image_class: str
    object_name: str | None
    filter_name: str | None
    exposure_time: float | None
    date_obs: dt.datetime | None
    night: dt.date | None
    x_binning: int | None
    y_binning: int | None
    reduction_level: int
    proposal_id: str | None
    public_date: dt.datetime | None
    origin_name: str | None
    request_number: str | None
    observation_number: str | None
    ra: float | None
    dec: float | None
    footprint: tuple[tuple[float, float], ...] | None
    altitude: float | None
    azimuth: float | None
    focus: float | None
    sun_altitude: float | None
    sun_distance: float | None
    moon_altitude: float | None
    moon_fraction: float | None
    moon_distance: float | None
    x_origin: int | None
    y_origin: int | None
    width: int | None
    height: int | None
    data_mean: float | None

    hdu_count: int
    hdu_kinds: tuple[str, ...]
    science_hdu: int
    container: str
    checksum: str
    notes: tuple[str, ...]
    links: tuple[LinkRecord, ...] = ()
    catalog_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRecord:
    """One object that could not be indexed, and why, in words for the author of the pipeline that wrote it."""

    bucket: str
    key: str
    version_id: str | None
    etag: str | None
    size: int | None
    kind: str
    message: str
