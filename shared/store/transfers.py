"""Uploads of files in bounded memory, and versions that are taken back."""

from collections.abc import Mapping
from pathlib import Path

from shared.store.client import Store
from shared.store.faults import translated
from shared.store.model import ObjectState

__all__ = ["delete_version", "is_versioned", "metadata_of", "upload_path"]

_LARGE, _PART_BYTES, _AT_ONCE = 64 << 20, 32 << 20, 2


def upload_path(
    store: Store, bucket: str, key: str, path: Path, content_type: str, metadata: Mapping[str, str] = {}
) -> ObjectState:
    """Write an object from a file, in parts where it is large, and return what stands under the key then.

    A path, and not an open file: parts of that would be read into memory whole.
    """
    from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 - most answers of the API need no boto3

    parts = TransferConfig(multipart_threshold=_LARGE, multipart_chunksize=_PART_BYTES, max_concurrency=_AT_ONCE)
    extra = {"ContentType": content_type, "Metadata": dict(metadata)}
    with translated("write", bucket, key):
        store.s3.upload_file(str(path), bucket, key, ExtraArgs=extra, Config=parts)
    return store.head(bucket, key)


def metadata_of(store: Store, state: ObjectState) -> Mapping[str, str]:
    """Return what was written beside the object when it was uploaded."""
    with translated("look at", state.bucket, state.key):
        return store.s3.head_object(Bucket=state.bucket, Key=state.key, IfMatch=f'"{state.etag}"')["Metadata"]


def is_versioned(state: ObjectState) -> bool:
    """Whether the object is a version of its own, so that what it replaced is still there."""
    return state.version_id not in (None, "null")


def delete_version(store: Store, state: ObjectState) -> None:
    """Delete exactly this version for good; what it replaced is the latest again."""
    with translated("delete", state.bucket, state.key):
        store.s3.delete_object(Bucket=state.bucket, Key=state.key, VersionId=str(state.version_id))
