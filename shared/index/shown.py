"""What lists show of a frame: the columns of `shared.index.models.Frame` that they need, as plain rows.

A thousand of these come in a third of the time that entities take, which the session would also keep track of.
"""

import datetime as dt
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement

from shared.index.models import Frame

__all__ = ["HIDING", "SHOWN", "ShownFrame"]

HIDING = ("bias", "dark")
"""Image types of which nobody is shown a filter or an object, whatever their headers say."""


class ShownFrame(NamedTuple):
    """Some columns of a frame, under their names in `Frame`."""

    id: int
    basename: str
    site: str | None
    telescope: str | None
    instrument: str | None
    reduction_level: int
    date_obs: dt.datetime | None
    filter_name: str | None
    object_name: str | None
    exposure_time: float | None
    request_number: str | None
    observation_number: str | None
    image_type: str | None
    binning: str
    night: dt.date | None
    proposal_id: str | None
    public_date: dt.datetime | None
    ra: float | None
    dec: float | None
    footprint: list[list[float]] | None
    image_class: str
    x_binning: int | None
    y_binning: int | None
    data_mean: float | None
    width: int | None
    height: int | None
    bucket: str
    key: str
    filename: str
    size: int
    etag: str
    version_id: str | None
    last_modified: dt.datetime
    ingested_at: dt.datetime
    crc32: int
    sha256: str
    checksum: str
    container: str
    hdu_kinds: list[str]
    notes: list[str]
    origin_name: str | None


SHOWN: tuple[ColumnElement[Any], ...] = tuple(Frame.__table__.c[name] for name in ShownFrame._fields)
"""The columns, in the order of `ShownFrame`."""
