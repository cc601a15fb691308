"""What a query asks for, as plain data."""

import datetime as dt
from dataclasses import dataclass, field

from shared.index.cone import Cone
from shared.index.cursor import Cursor

__all__ = ["MAX_LIMIT", "NO_FILTER", "SORT_COLUMNS", "FrameFilter", "FrameQuery"]

MAX_LIMIT = 1000
"""Frames of a page, at most and by default."""

NO_FILTER = "None"
"""How a frame without filter keyword shows among the filters, and is asked for."""

SORT_COLUMNS = {
    "id": "id",
    "basename": "basename",
    "path": "key",
    "SITEID": "site",
    "TELID": "telescope",
    "INSTRUME": "instrument",
    "IMAGETYP": "image_type",
    "OBSTYPE": "image_type",
    "RLEVEL": "reduction_level",
    "DATE_OBS": "date_obs",
    "night": "night",
    "OBJECT": "object_name",
    "TEL_RA": "ra",
    "TEL_DEC": "dec",
    "TEL_ALT": "altitude",
    "TEL_AZ": "azimuth",
    "TEL_FOCU": "focus",
    "SUNALT": "sun_altitude",
    "SUNDIST": "sun_distance",
    "MOONALT": "moon_altitude",
    "MOONFRAC": "moon_fraction",
    "MOONDIST": "moon_distance",
    "EXPTIME": "exposure_time",
    "FILTER": "filter_name",
    "XBINNING": "x_binning",
    "YBINNING": "y_binning",
    "binning": "binning",
    "XORGSUBF": "x_origin",
    "YORGSUBF": "y_origin",
    "width": "width",
    "height": "height",
    "DATAMEAN": "data_mean",
    "REQNUM": "request_number",
    "OBSNUM": "observation_number",
}
"""The columns that clients may sort by, and their names in the index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFilter:
    """Conditions that a frame must all meet; None asks for nothing.

    ``filter_name`` "None" asks for frames without filter keyword. ``object_part`` and ``basename_part`` are folded
    (`shared.index.text.fold`) and match anywhere. ``min_exposure`` in seconds. ``start`` and ``end`` are naive UTC,
    both inclusive. Frames without date match only if ``undated``.
    """

    image_type: str | None = None
    binning: str | None = None
    site: str | None = None
    telescope: str | None = None
    instrument: str | None = None
    filter_name: str | None = None
    reduction_level: int | None = None
    object_part: str | None = None
    basename_part: str | None = None
    min_exposure: float | None = None
    night: dt.date | None = None
    request_number: str | None = None
    observation_number: str | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    cone: Cone | None = None
    undated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameQuery:
    """A page of frames: ``sort`` is a key of `SORT_COLUMNS`; ties break by ascending id.

    With a ``cursor`` the page begins behind it, and ``offset`` means nothing.
    """

    limit: int = MAX_LIMIT
    offset: int = 0
    sort: str = "DATE_OBS"
    descending: bool = False
    filter: FrameFilter = field(default_factory=FrameFilter)
    cursor: Cursor | None = None

    @property
    def order(self) -> str:
        """The direction as clients write it."""
        return "desc" if self.descending else "asc"
