"""Uploads of files in bounded memory, and versions that are taken back."""

from pathlib import Path

from boto3.s3.transfer import TransferConfig

from shared.store.client import Store
from shared.store.faults import translated
from shared.store.model import ObjectState

__all__ = ["delete_version", "is_versioned", "upload_path"]

_PARTS = TransferConfig(multipart_threshold=64 << 20, multipart_chunksize=32 << 20, max_concurrency=2)


def upload_path(store: Store, bucket: str, key: str, path: Path, content_type: str) -> ObjectState:
    """Write an object from a file, in parts where it is large, and return what stands under the key then.

    A path, and not an open file: parts of that would be read into memory whole.
    """
    with translated("write", bucket, key):
        store.s3.upload_file(str(path), bucket, key, ExtraArgs={"ContentType": content_type}, Config=_PARTS)
    return store.head(bucket, key)


def is_versioned(state: ObjectState) -> bool:
    """Whether the object is a version of its own, so that what it replaced is still there."""
    return state.version_id not in (None, "null")


def delete_version(store: Store, state: ObjectState) -> None:
    """Delete exactly this version for good; what it replaced is the latest again."""
    with translated("delete", state.bucket, state.key):
        store.s3.delete_object(Bucket=state.bucket, Key=state.key, VersionId=str(state.version_id))
