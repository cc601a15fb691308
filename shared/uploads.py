"""Uploading local files to the science bucket, as any S3 client would, several at once."""

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from boto3.s3.transfer import TransferConfig

from shared.errors import StoreError
from shared.store.client import Store

__all__ = ["Upload", "plan_uploads", "run_uploads"]

_AT_ONCE = 4
_PARTS = TransferConfig(multipart_threshold=64 << 20, multipart_chunksize=16 << 20, max_concurrency=4)


@dataclass(frozen=True, slots=True)
class Upload:
    """One object to write: its key, its length in bytes, and how to open its source."""

    key: str
    size: int
    open: Callable[[], BinaryIO]

    @classmethod
    def of_bytes(cls, key: str, data: bytes) -> "Upload":
        """Return the upload of bytes in memory."""
        return cls(key, len(data), lambda: io.BytesIO(data))


def plan_uploads(paths: Iterable[Path], prefix: str) -> Iterator[Upload]:
    """Yield an upload for each file, and for each file below each folder, with keys below ``prefix``.

    Raises
    ------
    OSError
        A path is not there or cannot be read.
    """
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.is_file())
            yield from (_of_file(file, prefix + file.relative_to(path).as_posix()) for file in found)
        else:
            yield _of_file(path, prefix + path.name)


def _of_file(path: Path, key: str) -> Upload:
    return Upload(key, path.stat().st_size, lambda: path.open("rb"))


def run_uploads(
    store: Store, bucket: str, uploads: Iterable[Upload], progress: Callable[[int], None]
) -> Iterator[tuple[Upload, str | None]]:
    """Write all objects, and yield each with None, or with what went wrong, as it is done.

    ``progress`` is called from other threads with the number of bytes that went out since its last call.
    """

    def write(upload: Upload) -> str | None:
        try:
            with upload.open() as source:
                store.upload(bucket, upload.key, source, Config=_PARTS, Callback=progress)
        except (StoreError, OSError, UnicodeError) as error:
            return str(error)
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {pool.submit(write, upload): upload for upload in uploads}
        for done in as_completed(running):
            yield running[done], done.result()
