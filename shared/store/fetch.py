"""An object's bytes on local disk, with both checksums taken on the way."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.checksums import Checksums
from shared.errors import StoreUnavailableError, TooLargeError
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["FetchedObject", "fetched"]


@dataclass(frozen=True, slots=True)
class FetchedObject:
    """An object on disk: its folder is free for temporary files until the block ends."""

    path: Path
    crc32: int
    sha256: str

    @property
    def folder(self) -> Path:
        """The folder of its own that it lies in."""
        return self.path.parent


@contextmanager
def fetched(store: Store, state: ObjectState, work_dir: Path | None) -> Iterator[FetchedObject]:
    """Fetch the object in constant memory, and remove it from disk when the block ends.

    Raises
    ------
    TooLargeError
        The disk that ``work_dir`` is on is smaller than the object.
    StoreUnavailableError
        The disk is too full just now, or the store is away.
    ObjectChangedError, ObjectGoneError
        The object is no longer the one that ``state`` shows.
    """
    if work_dir is not None:
        work_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fitsvault-", dir=work_dir, ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "object"
        _check_room(path.parent, state)
        sums = Checksums()
        with path.open("wb") as file:
            for chunk in store.stream(state):
                sums.add(chunk)
                file.write(chunk)
        yield FetchedObject(path, sums.crc32, sums.sha256)


def _check_room(folder: Path, state: ObjectState) -> None:
    disk = shutil.disk_usage(folder)
    if state.size > disk.total:
        raise TooLargeError(f"{state.size:,} bytes, more than the {disk.total:,} of the disk that ingest works on")
    if state.size > disk.free:
        raise StoreUnavailableError(f"{state.size:,} bytes do not fit on the disk that ingest works on just now")
