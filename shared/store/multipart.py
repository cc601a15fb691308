"""Multipart uploads whose parts somebody else writes by presigned links."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.store.client import Store
from shared.store.faults import translated

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import PartTypeDef

__all__ = ["MAX_OBJECT", "MAX_SINGLE", "Part", "abort", "begin", "complete", "part_links", "parts_there", "plan_parts"]

MAX_SINGLE = 5 << 30
"""Most bytes that S3 takes in one request."""

MAX_OBJECT = 5 << 40
"""Most bytes of an object."""

_PART = 64 << 20
_MOST_PARTS = 2000
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an object: its number from 1, its length in bytes, its ETag once it is there."""

    number: int
    size: int
    etag: str = ""


def plan_parts(size: int) -> list[Part]:
    """Cut ``size`` bytes into parts of equal length, the last one shorter: of 64 MiB, or into 2000."""
    length = max(_PART, -(-size // (_MOST_PARTS * _MEBIBYTE)) * _MEBIBYTE)
    starts = range(0, size, length)
    return [Part(number, min(length, size - start)) for number, start in enumerate(starts, 1)]


def begin(store: Store, bucket: str, key: str, content_type: str) -> str:
    """Begin a multipart upload, and return its id."""
    with translated("begin", bucket, key):
        return store.s3.create_multipart_upload(Bucket=bucket, Key=key, ContentType=content_type)["UploadId"]


def part_links(
    store: Store, bucket: str, key: str, upload_id: str, parts: list[Part], expires: dt.timedelta
) -> list[str]:
    """Return a link for each part."""
    return [
        store.presigner.put_part(key, bucket=bucket, expires=expires, upload_id=upload_id, number=part.number)
        for part in parts
    ]


def parts_there(store: Store, bucket: str, key: str, upload_id: str) -> list[Part]:
    """Return the parts that were written, by number; ObjectGoneError if there is no such upload."""
    found: list[Part] = []
    marker = 0
    while True:
        with translated("list parts of", bucket, key):
            answer = store.s3.list_parts(Bucket=bucket, Key=key, UploadId=upload_id, PartNumberMarker=marker)
        found += [Part(part["PartNumber"], part["Size"], part["ETag"]) for part in answer.get("Parts", [])]
        marker = answer.get("NextPartNumberMarker", 0)
        if not answer.get("IsTruncated") or not marker:
            return found


def complete(store: Store, bucket: str, key: str, upload_id: str, parts: list[Part]) -> None:
    """Make the object of its parts."""
    listed: list[PartTypeDef] = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
    with translated("complete", bucket, key):
        store.s3.complete_multipart_upload(
            Bucket=bucket,
            Key=key,
            UploadId=upload_id,
            MultipartUpload={"Parts": listed},
        )


def abort(store: Store, bucket: str, key: str, upload_id: str) -> None:
    """Drop the upload and the parts that were written."""
    with translated("abort", bucket, key):
        store.s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
