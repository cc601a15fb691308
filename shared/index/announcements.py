"""What is announced of an object: the difference between what the index held of it before a transaction and after.

The payload is part of the archive's interface; docs/notifications.md describes it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.index.failures import UNAVAILABLE, find_failure
from shared.index.models import Failure, Frame
from shared.index.times import format_time

__all__ = ["FAILED", "INDEXED", "REMOVED", "VERSION", "Announcement", "Told", "announcements", "payload", "told"]

VERSION = 1
"""Version of the payload. What is there keeps its name and meaning; more may come beside it."""

INDEXED = "frame.indexed"
REMOVED = "frame.removed"
FAILED = "object.failed"

_HIDING = ("bias", "dark")


@dataclass(frozen=True, slots=True)
class Told:
    """What others are told of an object: it is a frame, it failed, both (a new one failed), or neither.

    ``frame`` and ``failure`` are each the object's identity (etag, version_id, size) with what is said of it.
    """

    frame: Mapping[str, Any] | None = None
    failure: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """One thing that became so; ``body`` is what the payload says of it beyond the object's name."""

    type: str
    body: Mapping[str, Any]


def told(session: Session, bucket: str, key: str) -> Told:
    """Return what there is to be told of an object just now."""
    statement = select(Frame).where(Frame.bucket == bucket, Frame.key == key)
    frame = session.scalars(statement, execution_options={"populate_existing": True}).one_or_none()
    failure = find_failure(session, bucket, key)
    if failure is not None and failure.kind == UNAVAILABLE and failure.retry_at is not None:
        failure = None  # it may become a frame yet
    return Told(
        _identity(frame) | {"frame": _frame_document(frame)} if frame is not None else None,
        _identity(failure) | {"reason": _reason(failure)} if failure is not None else None,
    )


def announcements(before: Told, after: Told) -> Iterator[Announcement]:
    """Yield what became so between two moments, nothing if they tell the same. Pure."""
    if after.frame is not None and after.frame != before.frame:
        yield Announcement(INDEXED, {**after.frame, "replaced": before.frame is not None, "reason": None})
    failure = after.failure
    reason = failure["reason"] if failure is not None else None
    if before.frame is not None and after.frame is None:
        yield Announcement(REMOVED, {**before.frame, "replaced": None, "reason": reason})
    if failure is not None and failure != before.failure:
        yield Announcement(FAILED, {**failure, "frame": None, "replaced": None})


def payload(announcement: Announcement, *, event_id: str, time: dt.datetime, bucket: str, key: str) -> dict[str, Any]:
    """Return the document that goes out, but for the sequence number that the outbox gives it. Pure.

    Parameters
    ----------
    time
        When it became so, naive UTC.
    """
    body = announcement.body
    return {
        "version": VERSION,
        "id": event_id,
        "type": announcement.type,
        "time": format_time(time),
        "bucket": bucket,
        "key": key,
        "etag": body["etag"],
        "version_id": body["version_id"],
        "size": body["size"],
        "replaced": body["replaced"],
        "frame": body["frame"],
        "reason": body["reason"],
    }


def _identity(row: Frame | Failure) -> dict[str, Any]:
    return {"etag": row.etag, "version_id": row.version_id, "size": row.size}


def _reason(failure: Failure) -> dict[str, str]:
    return {"kind": failure.kind, "message": failure.message}


def _frame_document(frame: Frame) -> dict[str, Any]:
    """Return the fields of the frame object of the API that a pipeline needs to go on, by the same names."""
    hides = frame.image_type in _HIDING
    return {
        "id": frame.id,
        "basename": frame.basename,
        "filename": frame.filename,
        "url": f"frames/{frame.id}/download/",
        "SITEID": frame.site or "",
        "TELID": frame.telescope or "",
        "INSTRUME": frame.instrument or "",
        "RLEVEL": frame.reduction_level,
        "OBSTYPE": frame.image_type or "",
        "OBJECT": None if hides else frame.object_name,
        "FILTER": None if hides else frame.filter_name,
        "EXPTIME": frame.exposure_time,
        "DATE_OBS": format_time(frame.date_obs),
        "night": frame.night.isoformat() if frame.night else None,
        "binning": frame.binning,
        "REQNUM": frame.request_number,
        "OBSNUM": frame.observation_number,
        "PROPID": frame.proposal_id,
        "RA": frame.ra,
        "DEC": frame.dec,
        "width": frame.width,
        "height": frame.height,
        "crc32": f"{frame.crc32:08x}",
        "sha256": frame.sha256,
    }
