"""Uploading local files to the science bucket, as any S3 client would, several at once."""

import errno
import io
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from boto3.s3.transfer import TransferConfig

from shared.errors import ObjectGoneError, StoreError
from shared.parallel import in_parallel
from shared.store.client import Store
from shared.store.etags import FileDigests, digests_of

__all__ = ["Submission", "Upload", "clashing_keys", "plan_uploads", "run_uploads", "submit"]

_AT_ONCE = 4
_PART_BYTES = 16 << 20
_PARTS = TransferConfig(multipart_threshold=64 << 20, multipart_chunksize=_PART_BYTES, max_concurrency=4)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What became of an upload: the ETag that the object has now, or why there is none."""

    upload: Upload
    etag: str | None = None
    was_there: bool = False
    problem: str | None = None


def plan_uploads(paths: Iterable[Path], prefix: str) -> Iterator[Upload]:
    """Yield an upload for each file, and for each file below each folder, with keys below ``prefix``.

    Raises
    ------
    OSError
        A path is not there, cannot be read, or is a pipe or device, whose end might never come.
    """
    for path in paths:
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.is_file())
            yield from (_of_file(file, prefix + file.relative_to(path).as_posix()) for file in found)
        else:
            yield _of_file(path, prefix + path.name)


def clashing_keys(uploads: Iterable[Upload]) -> list[str]:
    """Return the keys that more than one of the uploads would write, so that one would hide the other."""
    return sorted(key for key, count in Counter(upload.key for upload in uploads).items() if count > 1)


def _of_file(path: Path, key: str) -> Upload:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "Not a file", str(path))
    return Upload(key, status.st_size, lambda: path.open("rb"))


def run_uploads(
    store: Store, bucket: str, uploads: Iterable[Upload], progress: Callable[[int], None]
) -> Iterator[tuple[Upload, str | None]]:
    """Write all objects, and yield each with None, or with what went wrong, as it is done.

    ``progress`` is called from other threads with the number of bytes that went out since its last call.
    """
    stop = threading.Event()

    def write(upload: Upload) -> str | None:
        try:
            _write(store, bucket, upload, _stoppable(progress, stop))
        except (StoreError, OSError, UnicodeError) as error:
            return str(error)
        return None

    yield from in_parallel(write, uploads, _AT_ONCE, stop=stop)


def submit(
    store: Store,
    bucket: str,
    uploads: Iterable[Upload],
    progress: Callable[[int], None],
    *,
    indexed_sha256: Callable[[str, str], str | None],
) -> Iterator[Submission]:
    """Write those objects that are not there with the same bytes already, and yield what became of each.

    The same bytes are told by size and ETag. Where an ETag is no digest of the bytes, ``indexed_sha256`` of key and
    ETag is asked for the digest that the index knows.
    """
    stop = threading.Event()

    def one(upload: Upload) -> Submission:
        try:
            etag = _etag_if_there(store, bucket, upload, indexed_sha256)
            if etag is not None:
                progress(upload.size)
                return Submission(upload=upload, etag=etag, was_there=True)
            _write(store, bucket, upload, _stoppable(progress, stop))
            return Submission(upload=upload, etag=store.head(bucket, upload.key).etag)
        except (StoreError, OSError, UnicodeError) as error:
            return Submission(upload=upload, problem=str(error))

    for _, submission in in_parallel(one, uploads, _AT_ONCE, stop=stop):
        yield submission


def _write(store: Store, bucket: str, upload: Upload, progress: Callable[[int], None]) -> None:
    with upload.open() as source:
        store.upload(bucket, upload.key, source, Config=_PARTS, Callback=progress)


def _stoppable(progress: Callable[[int], None], stop: threading.Event) -> Callable[[int], None]:
    def tell(count: int) -> None:
        if stop.is_set():
            raise InterruptedError("stopped")
        progress(count)

    return tell


def _etag_if_there(
    store: Store, bucket: str, upload: Upload, indexed_sha256: Callable[[str, str], str | None]
) -> str | None:
    try:
        there = store.head(bucket, upload.key)
    except ObjectGoneError:
        return None
    if there.size != upload.size:
        return None
    with upload.open() as source:
        digests: FileDigests = digests_of(source, _PART_BYTES)
    if there.etag in digests.etags or indexed_sha256(upload.key, there.etag) == digests.sha256:
        return there.etag
    return None
