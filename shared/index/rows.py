"""From records to the values of rows: what no database could hold is mended, what searches need is added."""

import datetime as dt
import math
from typing import Any

from shared.index.cone import unit_vector, zone
from shared.index.record import FailureRecord, FrameRecord, LinkRecord
from shared.index.sky import sky_cell
from shared.index.text import clean_text, fold

__all__ = ["failure_values", "frame_values", "link_values"]

_LARGEST = 2**63 - 1
_MAX_NAME = 1024
_MAX_MESSAGE = 2000

_SAME = ("bucket", "key", "sha256", "digest", "image_class", "container", "checksum")
_NAMES = ("etag", "basename", "filename")
_TEXTS = (
    "version_id",
    "site",
    "telescope",
    "instrument",
    "image_type",
    "object_name",
    "filter_name",
    "proposal_id",
    "origin_name",
    "request_number",
    "observation_number",
)
_INTEGERS = ("x_binning", "y_binning", "x_origin", "y_origin", "width", "height", "catalog_rows")
_COUNTS = ("size", "crc32", "reduction_level", "hdu_count", "science_hdu")
_TIMES = ("date_obs", "public_date", "last_modified")
_FLOATS = (
    "exposure_time",
    "altitude",
    "azimuth",
    "focus",
    "sun_altitude",
    "sun_distance",
    "moon_altitude",
    "moon_fraction",
    "moon_distance",
    "data_mean",
)


def frame_values(record: FrameRecord) -> dict[str, Any]:
    """Return the columns of a frame's row, but for its id and the times of ingest.

    Empty text, numbers that are not finite and integers beyond 64 bits become null.
    """
    values: dict[str, Any] = {name: getattr(record, name) for name in _SAME}
    values |= {name: clean_text(getattr(record, name), _MAX_NAME) for name in _NAMES}
    values |= {name: _text(getattr(record, name)) for name in _TEXTS}
    values |= {name: _integer(getattr(record, name)) for name in _INTEGERS}
    values |= {name: _integer(getattr(record, name)) or 0 for name in _COUNTS}
    values |= {name: _time(getattr(record, name)) for name in _TIMES}
    values |= {name: _finite(getattr(record, name)) for name in _FLOATS}
    values["night"] = record.night
    values["binning"] = f"{values['x_binning'] or 1}x{values['y_binning'] or 1}"
    values["basename_folded"] = fold(values["basename"])
    values["object_folded"] = fold(values["object_name"]) if values["object_name"] else None
    values["hdu_kinds"] = [clean_text(kind) for kind in record.hdu_kinds]
    values["notes"] = [clean_text(note) for note in record.notes]
    return values | _sky_values(record)


def link_values(links: tuple[LinkRecord, ...]) -> list[dict[str, str]]:
    """Return the columns of a frame's links, but for the frame's id; no duplicates and no empty targets."""
    pairs = {(clean_text(link.keyword), clean_text(link.target, _MAX_NAME)): None for link in links if link.target}
    return [{"keyword": keyword, "target": target} for keyword, target in pairs]


def failure_values(record: FailureRecord) -> dict[str, Any]:
    """Return the columns of a failure's row, but for its id, the attempts and their times."""
    return {
        "bucket": record.bucket,
        "key": record.key,
        "version_id": _text(record.version_id),
        "etag": _text(record.etag),
        "size": _integer(record.size),
        "kind": clean_text(record.kind),
        "message": clean_text(record.message, _MAX_MESSAGE),
    }


def _sky_values(record: FrameRecord) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(
        ("ra", "dec", "dec_zone", "vector_x", "vector_y", "vector_z", "sky_cell", "footprint")
    )
    ra, dec = _finite(record.ra), _finite(record.dec)
    if ra is not None and dec is not None and -90.0 <= dec <= 90.0:
        x, y, z = unit_vector(ra % 360.0, dec)
        values |= {"ra": ra % 360.0, "dec": dec, "dec_zone": zone(dec), "vector_x": x, "vector_y": y, "vector_z": z}
        values["sky_cell"] = sky_cell(ra, dec)
    corners = record.footprint
    if corners and all(math.isfinite(angle) for corner in corners for angle in corner):
        values["footprint"] = [list(corner) for corner in corners]
    return values


def _text(text: str | None) -> str | None:
    return clean_text(text) or None if text is not None else None


def _integer(number: int | None) -> int | None:
    return number if number is not None and -_LARGEST <= number <= _LARGEST else None


def _finite(number: float | None) -> float | None:
    return float(number) if number is not None and math.isfinite(number) else None


def _time(time: dt.datetime | None) -> dt.datetime | None:
    if time is None or time.tzinfo is None:
        return time
    return time.astimezone(dt.UTC).replace(tzinfo=None)
