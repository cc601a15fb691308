"""Bringing the files of a pyobs-archive into the bucket, each under the id that its frame has."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from boto3.s3.transfer import TransferConfig
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.errors import ObjectGoneError, SourceError, StoreError
from shared.index.reservations import BroughtFrame, ReservedFrame, find_brought, find_conflicts, reserve
from shared.parallel import in_parallel
from shared.pyobs.model import PyobsFrame, local_path, object_key
from shared.store.client import Store
from shared.store.etags import digests_of

__all__ = ["Choices", "Fate", "Item", "Transfer"]

_PART_BYTES = 16 << 20
_PARTS = TransferConfig(multipart_threshold=64 << 20, multipart_chunksize=_PART_BYTES, max_concurrency=2)


class Fate(StrEnum):
    """What became of a frame's file."""

    READY = "ready"
    UPLOADED = "uploaded"
    THERE = "there already"
    MISSING = "missing"
    CONFLICT = "in conflict"
    DIFFERENT = "different in the bucket"
    REFUSED = "not uploaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A frame on its way.

    ``size`` is in bytes. ``etags`` are those that an object with the file's bytes can have, ``etag`` the one that it
    has; None where the index knows the object already.
    """

    frame: PyobsFrame
    key: str = ""
    path: Path | None = None
    size: int = 0
    modified: float = 0.0
    sha256: str | None = None
    etags: tuple[str, ...] = ()
    fate: Fate = Fate.READY
    reason: str = ""
    etag: str | None = None

    def ended(self, fate: Fate, reason: str = "") -> "Item":
        """Return the item with what became of it."""
        return replace(self, fate=fate, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How frames are brought.

    Parameters
    ----------
    root
        The pyobs-archive's ARCHIVE_ROOT.
    prefix
        What all keys begin with.
    keep_missing
        Whether frames without a file keep their ids, too.
    overwrite
        Whether to replace objects that have other bytes than the files.
    recheck
        Whether to read again files that an earlier run has brought and that have not changed since.
    """

    root: Path
    prefix: str = ""
    keep_missing: bool = False
    overwrite: bool = False
    recheck: bool = False
    workers: int = 4


class Transfer:
    """Brings batches of frames here. Whatever is done already is not done again."""

    def __init__(self, store: Store, sessions: sessionmaker[Session], bucket: str, choices: Choices) -> None:
        self._store = store
        self._sessions = sessions
        self._bucket = bucket
        self._choices = choices

    def plan(self, frames: Sequence[PyobsFrame]) -> list[Item]:
        """Return what would become of frames; nothing is written and no file is read."""
        items = [self._locate(frame) for frame in frames]
        with read(self._sessions) as session:
            conflicts = find_conflicts(session, self._bucket, _reserved(items))
        return [_in_conflict(item, conflicts) for item in items]

    def bring(self, frames: Sequence[PyobsFrame]) -> Iterator[Item]:
        """Bring frames here, and yield what became of each."""
        located = [self._locate(frame) for frame in frames]
        with read(self._sessions) as session:
            brought = find_brought(session, self._bucket, [item.key for item in located])
        stop = threading.Event()

        def measure(item: Item) -> Item:
            return self._measure(item, brought.get(item.key), stop)

        measured = [item for _, item in in_parallel(measure, located, self._choices.workers, stop=stop)]
        items = self._reserve(measured)
        stop = threading.Event()

        def send(item: Item) -> Item:
            return self._send(item, brought.get(item.key), stop)

        for _, item in in_parallel(send, items, self._choices.workers, stop=stop):
            yield item

    def _locate(self, frame: PyobsFrame) -> Item:
        chosen = self._choices
        try:
            path, key = local_path(frame, chosen.root), object_key(frame, chosen.root, chosen.prefix)
        except SourceError as error:
            return Item(frame=frame).ended(Fate.MISSING, str(error))
        item = Item(frame=frame, key=key, path=path)
        try:
            status = path.stat()
        except OSError as error:
            return item.ended(Fate.MISSING, error.strerror or str(error))
        if status.st_size == 0 or not path.is_file():
            return item.ended(Fate.MISSING, "Empty file" if path.is_file() else "Not a file")
        return replace(item, size=status.st_size, modified=status.st_mtime)

    def _measure(self, item: Item, brought: BroughtFrame | None, stop: threading.Event) -> Item:
        if item.fate is Fate.MISSING and brought is not None:
            return replace(item.ended(Fate.THERE), sha256=brought.sha256)
        if item.fate is not Fate.READY or item.path is None:
            return item
        if brought is not None and not self._choices.recheck and brought.is_of(item.size, item.modified):
            return replace(item, sha256=brought.sha256)
        if stop.is_set():
            raise InterruptedError("stopped")
        try:
            with item.path.open("rb") as file:
                digests = digests_of(file, _PART_BYTES)
        except OSError as error:
            return item.ended(Fate.MISSING, error.strerror or str(error))
        return replace(item, sha256=digests.sha256, etags=digests.etags)

    def _reserve(self, measured: Sequence[Item]) -> list[Item]:
        with write(self._sessions) as session:
            conflicts = find_conflicts(session, self._bucket, _reserved(measured))
            items = [_in_conflict(item, conflicts) for item in measured]
            fates = (Fate.READY, Fate.MISSING) if self._choices.keep_missing else (Fate.READY,)
            kept = [item for item in items if item.fate in fates and item.frame.id not in conflicts]
            reserve(session, self._bucket, _reserved(kept))
        return items

    def _send(self, item: Item, brought: BroughtFrame | None, stop: threading.Event) -> Item:
        if item.fate is not Fate.READY or item.path is None:
            return item
        try:
            if brought is not None and brought.sha256 == item.sha256:
                return item.ended(Fate.THERE)
            there = self._etag_there(item)
            if there in item.etags:
                return replace(item.ended(Fate.THERE), etag=there)
            if there is not None and not self._choices.overwrite:
                return item.ended(Fate.DIFFERENT, "another file has its key here: it stays, unless with --overwrite")
            with item.path.open("rb") as source:
                self._store.upload(self._bucket, item.key, source, Config=_PARTS, Callback=_stopper(stop))
            return replace(item.ended(Fate.UPLOADED), etag=self._etag_there(item))
        except (StoreError, OSError, UnicodeError) as error:
            return item.ended(Fate.REFUSED, str(error))

    def _etag_there(self, item: Item) -> str | None:
        """Return the ETag of the object that has the key; an empty one, which SeaweedFS makes of a cut PUT, is none."""
        try:
            there = self._store.head(self._bucket, item.key)
        except ObjectGoneError:
            return None
        return there.etag if there.size else None


def _reserved(items: Sequence[Item]) -> list[ReservedFrame]:
    return [
        ReservedFrame(item.frame.id, item.key, item.sha256, tuple(name for _, name in item.frame.related))
        for item in items
        if item.key
    ]


def _in_conflict(item: Item, conflicts: Mapping[int, str]) -> Item:
    if item.fate is Fate.READY and item.frame.id in conflicts:
        return item.ended(Fate.CONFLICT, conflicts[item.frame.id])
    return item


def _stopper(stop: threading.Event) -> Callable[[int], None]:
    def look(_count: int) -> None:
        if stop.is_set():
            raise InterruptedError("stopped")

    return look
