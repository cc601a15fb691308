"""Multipart uploads: parts that we write or copy inside the store, or that somebody else writes by presigned links."""

import datetime as dt
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from shared.store.client import Store
from shared.store.faults import translated
from shared.store.model import ObjectState

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CopySourceTypeDef, PartTypeDef

__all__ = [
    "MAX_OBJECT",
    "MAX_SINGLE",
    "Part",
    "abort",
    "begin",
    "complete",
    "copy_part",
    "part_links",
    "parts_there",
    "plan_parts",
    "uploads_of",
    "write_part",
]

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


def write_part(store: Store, bucket: str, key: str, upload_id: str, number: int, data: BytesIO) -> Part:
    """Write a part, and return it."""
    data.seek(0)
    with translated("write a part of", bucket, key):
        answer = store.s3.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=data)
    return Part(number, data.getbuffer().nbytes, answer["ETag"])


def copy_part(
    store: Store, bucket: str, key: str, upload_id: str, number: int, source: ObjectState, window: tuple[int, int]
) -> Part:
    """Copy a range of exactly the object that ``source`` shows into a part, inside the store, and return the part.

    Raises
    ------
    ObjectChangedError, ObjectGoneError
        The source is another object by now, or gone. LocalStack 4.7 copies from the other one.
    """
    start, stop = window
    copied: CopySourceTypeDef = {"Bucket": source.bucket, "Key": source.key}
    if source.version_id not in (None, "null"):
        copied["VersionId"] = str(source.version_id)
    with translated("copy", source.bucket, source.key):
        answer = store.s3.upload_part_copy(
            Bucket=bucket,
            Key=key,
            UploadId=upload_id,
            PartNumber=number,
            CopySource=copied,
            CopySourceIfMatch=f'"{source.etag}"',
            CopySourceRange=f"bytes={start}-{stop - 1}",
        )
    etag = answer["CopyPartResult"]["ETag"].strip('"')
    return Part(number, stop - start, f'"{etag}"')


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


def uploads_of(store: Store, bucket: str, prefix: str) -> list[tuple[str, str]]:
    """Return key and id of up to a thousand uploads to keys that begin so; MinIO knows those to one whole key only."""
    with translated("list uploads to", bucket, prefix):
        answer = store.s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix)
    return [(upload["Key"], upload["UploadId"]) for upload in answer.get("Uploads", [])]


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
