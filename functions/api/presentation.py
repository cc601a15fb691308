"""The frame object of the answers, and other plain data that goes out as JSON."""

import datetime as dt
import math

from shared.index.models import Failure, Frame
from shared.index.query import FrameRow, ShownRow
from shared.index.shown import HIDING, ShownFrame
from shared.index.times import format_time

__all__ = ["download_document", "failure_object", "frame_object"]


def frame_object(row: FrameRow | ShownRow) -> dict[str, object]:
    """Return a frame as the contract shows it: the 16 keys of the predecessor first, then ours."""
    frame = row.frame
    hides = frame.image_type in HIDING
    return {
        "id": frame.id,
        "basename": frame.basename,
        "SITEID": frame.site or "",
        "TELID": frame.telescope or "",
        "INSTRUME": frame.instrument or "",
        "RLEVEL": frame.reduction_level,
        "DATE_OBS": format_time(frame.date_obs),
        "FILTER": None if hides else frame.filter_name,
        "OBJECT": None if hides else frame.object_name,
        "EXPTIME": _finite(frame.exposure_time),
        "REQNUM": frame.request_number,
        "OBSNUM": frame.observation_number,
        "OBSTYPE": frame.image_type or "",
        "binning": frame.binning,
        "related_frames": list(row.related),
        "url": f"frames/{frame.id}/download/",
    } | _more(frame)


def download_document(frame: Frame, *, url: str, expires: dt.datetime) -> dict[str, object]:
    """Return what a client that does not follow redirects needs for a download. ``expires`` is naive UTC."""
    return {
        "url": url,
        "expires": format_time(expires),
        "filename": frame.filename,
        "size": frame.size,
        "crc32": f"{frame.crc32:08x}",
        "sha256": frame.sha256,
    }


def failure_object(failure: Failure) -> dict[str, object]:
    """Return what is told of an object that could not be indexed."""
    return {
        "id": failure.id,
        "bucket": failure.bucket,
        "key": failure.key,
        "filename": failure.key.rpartition("/")[2],
        "kind": failure.kind,
        "message": failure.message,
        "size": failure.size,
        "etag": failure.etag,
        "version_id": failure.version_id,
        "attempts": failure.attempts,
        "first_at": format_time(failure.first_at),
        "last_at": format_time(failure.last_at),
        "retry_at": format_time(failure.retry_at),
    }


def _more(frame: Frame | ShownFrame) -> dict[str, object]:
    night = frame.night.isoformat() if frame.night else None
    modified = format_time(frame.last_modified)
    return {
        "night": night,
        "DAY_OBS": night,
        "PROPID": frame.proposal_id,
        "L1PUBDAT": format_time(frame.public_date),
        "RA": _finite(frame.ra),
        "DEC": _finite(frame.dec),
        "footprint": _footprint(frame.footprint),
        "IMAGECLASS": frame.image_class,
        "XBINNING": frame.x_binning,
        "YBINNING": frame.y_binning,
        "DATAMEAN": _finite(frame.data_mean),
        "width": frame.width,
        "height": frame.height,
        "bucket": frame.bucket,
        "key": frame.key,
        "filename": frame.filename,
        "size": frame.size,
        "etag": frame.etag,
        "version_id": frame.version_id,
        "last_modified": modified,
        "uploaded": modified,
        "ingested": format_time(frame.ingested_at),
        "crc32": f"{frame.crc32:08x}",
        "sha256": frame.sha256,
        "checksum": frame.checksum,
        "container": frame.container,
        "hdus": frame.hdu_kinds,
        "notes": frame.notes,
        "ORIGNAME": frame.origin_name,
    }


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _footprint(corners: list[list[float]] | None) -> list[list[float]] | None:
    if corners is None or not all(math.isfinite(angle) for corner in corners for angle in corner):
        return None
    return corners
