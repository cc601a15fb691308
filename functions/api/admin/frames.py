"""Frames, to look at: what they are made of is in the bucket, so nothing of them is changed here."""

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy.orm import Session
from starlette.requests import Request

from functions.api.admin.view import ArchiveView, Choice, given, number_of
from functions.api.dependencies import get_services
from functions.api.errors import FrameNotFoundError
from functions.api.lookup import find_frame
from shared.database import read
from shared.index.keys import page_by_key
from shared.index.models import Frame
from shared.index.parameters import parse_filter
from shared.index.query import get_frame, list_frames
from shared.index.selection import FrameQuery

__all__ = ["FrameView"]

_WAYS = {"basename": "Basename contains", "OBJECT": "Object contains", "key": "Key begins with", "id": "Id is"}


class FrameView(ArchiveView, model=Frame):
    """Frames, the latest first, dated or not."""

    name = "Frame"
    name_plural = "Frames"
    details_template = "archive/frame.html"
    column_list: ClassVar[Any] = [
        "id",
        "basename",
        "object_name",
        "date_obs",
        "instrument",
        "image_type",
        "filter_name",
        "reduction_level",
        "key",
        "size",
    ]
    column_details_list: ClassVar[Any] = [
        "id",
        "basename",
        "bucket",
        "key",
        "version_id",
        "etag",
        "size",
        "sha256",
        "crc32",
        "container",
        "checksum",
        "hdu_kinds",
        "notes",
        "site",
        "telescope",
        "instrument",
        "image_type",
        "object_name",
        "filter_name",
        "exposure_time",
        "date_obs",
        "night",
        "binning",
        "reduction_level",
        "ra",
        "dec",
        "width",
        "height",
        "last_modified",
        "ingested_at",
        "updated_at",
    ]
    column_labels: ClassVar[Any] = {
        "id": "Id",
        "object_name": "Object",
        "date_obs": "Date",
        "image_type": "Type",
        "filter_name": "Filter",
        "reduction_level": "Level",
        "exposure_time": "Exposure time, s",
        "ra": "RA, deg",
        "dec": "Dec, deg",
        "etag": "ETag",
        "sha256": "SHA-256",
        "crc32": "CRC-32",
        "size": "Bytes",
        "hdu_kinds": "HDUs",
        "version_id": "Version",
        "image_class": "Class",
        "last_modified": "Uploaded",
        "ingested_at": "Indexed first",
        "updated_at": "Indexed last",
    } | {
        name: name.capitalize()
        for name in (
            "basename",
            "key",
            "instrument",
            "bucket",
            "container",
            "checksum",
            "notes",
            "site",
            "telescope",
            "night",
            "binning",
            "width",
            "height",
        )
    }
    column_formatters_detail: ClassVar[Any] = {
        "crc32": lambda row, _: f"{row.crc32:08x}",
        "hdu_kinds": lambda row, _: ", ".join(row.hdu_kinds),
        "notes": lambda row, _: "; ".join(row.notes),
    }
    choices: ClassVar[Sequence[Choice]] = (
        Choice("by", "Where", tuple(_WAYS.items())),
        Choice("search", "What"),
    )

    def total(self, count: int) -> str:
        """Return how many frames there are; those of a key's beginning are counted up to a bound."""
        return f"more than {self.reach:,}" if count == self.reach + 1 else super().total(count)

    def find(self, request: Request, limit: int, offset: int) -> tuple[int, Sequence[Any]]:
        """Return a page of frames, by the ways that the REST interface has, and how many there are."""
        by, text = given(request, "by"), given(request, "search")
        services = get_services(request)
        with read(services.readers) as session:
            if text and by == "id":
                return _by_id(session, number_of(text, -1))
            if text and by == "key":
                bucket = services.settings.bucket
                return page_by_key(session, bucket, text, limit=limit, offset=offset, reach=self.reach + 1)
            asked = [(by if by in _WAYS else "basename", text), ("undated", "true")]
            query = FrameQuery(limit=limit, offset=offset, sort="id", descending=True, filter=parse_filter(asked))
            found = list_frames(session, query)
        return found.count, [row.frame for row in found.rows]

    def find_one(self, request: Request, row_id: int) -> Any:
        """Return a frame."""
        try:
            return find_frame(request, row_id).frame
        except FrameNotFoundError:
            return None


def _by_id(session: Session, frame_id: int) -> tuple[int, Sequence[Any]]:
    row = get_frame(session, frame_id)
    return (1, [row.frame]) if row is not None else (0, ())
