"""A zip built inside the bucket: a multipart upload whose parts the store copies, as far as its rules allow."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO

from shared.bundle.parts import ZipPart, copies, passed_bytes, segments, zip_parts
from shared.bundle.plan import Piece, Plan
from shared.bundle.presence import missing_objects
from shared.bundle.stream import pieces
from shared.errors import ObjectChangedError, ObjectGoneError, StoreError, StoreUnavailableError
from shared.parallel import in_parallel
from shared.store import multipart
from shared.store.client import Store
from shared.store.model import ObjectState
from shared.store.multipart import MAX_OBJECT, Part
from shared.store.transfers import is_versioned

__all__ = ["BundleBuilder", "StoppedError", "Uploads"]

_CONTENT_TYPE = "application/zip"
_WORKERS = 4
_READ_AT_ONCE = 4 << 20


class StoppedError(Exception):
    """It was time to end; another goes on."""


@dataclass(slots=True)
class Uploads:
    """Multipart uploads under way, by the key that they write: what another process needs to go on.

    ``save`` keeps them as they are now, before any part is written.
    """

    ids: dict[str, str] = field(default_factory=dict)
    save: Callable[[Mapping[str, str]], None] = lambda _ids: None


@dataclass(frozen=True, slots=True)
class _Task:
    """An object to be made of parts."""

    key: str
    parts: Sequence[ZipPart]


class BundleBuilder:
    """Builds zips in one bucket.

    Parameters
    ----------
    progress
        Called with the bytes of the zip that are there, each time that there are more.
    stop
        Tells that it is time to end.
    workers
        Parts under way at once; each that passes through us takes up to 14 MiB of memory.
    """

    def __init__(
        self,
        store: Store,
        bucket: str,
        *,
        progress: Callable[[int], None] = lambda _bytes: None,
        stop: Callable[[], bool] = lambda: False,
        workers: int = _WORKERS,
        max_parts: int = 10_000,
    ) -> None:
        self._store = store
        self._bucket = bucket
        self._progress = progress
        self._stop = stop
        self._workers = workers
        self._max_parts = max_parts

    def build(self, plan: Plan, key: str, uploads: Uploads) -> int:
        """Make the object ``key`` the zip of ``plan``, going on with ``uploads``; return the bytes that passed us.

        Every byte of a frame is read or copied under the condition that its object is still that of the plan. A zip
        of more parts than an object may have is built of several objects, which are deleted at the end.

        Raises
        ------
        ObjectChangedError, ObjectGoneError
            A frame is another by now, or gone. The uploads are still there: `drop` them.
        StoppedError
            It was time to end.
        StoreError
            The store refused, or the zip is longer than an object may be.
        """
        if plan.length > MAX_OBJECT:
            raise StoreError(f"a zip of {plan.length} bytes is more than an object may have ({MAX_OBJECT})")
        parts = list(zip_parts(plan.contents()))
        runs = segments(parts, self._max_parts)
        if len(runs) == 1:
            self._make(plan, _Task(key, parts), uploads, 0)
        else:
            self._join(plan, key, runs, uploads)
        found = self._store.head(self._bucket, key)
        if found.size != plan.length:
            raise StoreUnavailableError(f"built {self._bucket}/{key}: {found.size} bytes for {plan.length}")
        return passed_bytes(parts)

    def drop(self, key: str, uploads: Uploads) -> None:
        """Drop what there is of a zip that will not be finished; that nothing is there is no error.

        Uploads that were begun under its key and never noted, because their process was killed, go as well.
        """
        stray = multipart.uploads_of(self._store, self._bucket, key)
        for name, upload_id in dict.fromkeys([*uploads.ids.items(), *stray]):
            _drop_upload(self._store, self._bucket, name, upload_id)
        self._store.delete(self._bucket, tuple(name for name in uploads.ids if name != key))
        uploads.ids.clear()
        uploads.save(uploads.ids)

    def _join(self, plan: Plan, key: str, runs: Iterable[Sequence[ZipPart]], uploads: Uploads) -> None:
        made: list[tuple[int, ObjectState]] = []
        for number, run in enumerate(runs):
            name = _segment_key(key, number)
            self._make(plan, _Task(name, run), uploads, run[0].start)
            made.append((run[0].start, self._store.head(self._bucket, name)))
        joined = [part for start, state in made for part in copies(Piece(state, 0, state.size), start)]
        self._make(plan, _Task(key, joined), uploads, plan.length)
        self._store.delete(self._bucket, tuple(state.key for _, state in made))

    def _make(self, plan: Plan, task: _Task, uploads: Uploads, before: int) -> None:
        """Make one object, unless it is there already; ``before`` are bytes of the zip that are there anyway."""
        upload_id, there = self._begin(task, uploads)
        if upload_id is None:
            return
        done = dict(there)
        is_last = before >= plan.length
        counted = before if is_last else before + sum(part.size for part in there.values())
        ended = threading.Event()
        left = [(number, part) for number, part in enumerate(task.parts, 1) if number not in done]

        def write(numbered: tuple[int, ZipPart]) -> Part | None:
            return None if ended.is_set() or self._stop() else self._write(plan, task.key, upload_id, *numbered)

        for (number, part), written in in_parallel(write, left, self._workers, stop=ended):
            if written is None:
                raise StoppedError
            done[number] = written
            counted += 0 if is_last else part.size
            self._progress(counted)
        self._check(task.parts)
        multipart.complete(self._store, self._bucket, task.key, upload_id, [done[number] for number in sorted(done)])

    def _check(self, parts: Sequence[ZipPart]) -> None:
        """Raise ObjectChangedError unless what was copied is still there: not every store minds the condition.

        A version never changes.
        """
        states = dict.fromkeys(
            part.copied.state for part in parts if part.copied and not is_versioned(part.copied.state)
        )
        with ThreadPoolExecutor(self._workers) as threads:
            missing = missing_objects(self._store, states, threads, waits=True)
        if missing:
            raise ObjectChangedError(f"copied {missing[0].bucket}/{missing[0].key}: it is another by now, or gone")

    def _begin(self, task: _Task, uploads: Uploads) -> tuple[str | None, Mapping[int, Part]]:
        """Return the upload and its parts that are there and have the right length; no upload if it is complete."""
        known = uploads.ids.get(task.key) or self._stray(task.key)
        sizes = {number: part.size for number, part in enumerate(task.parts, 1)}
        if known is not None:
            uploads.ids[task.key] = known
            try:
                there = multipart.parts_there(self._store, self._bucket, task.key, known)
                return known, {part.number: part for part in there if sizes.get(part.number) == part.size}
            except ObjectGoneError:
                if self._is_complete(task):
                    return None, {}
        fresh = multipart.begin(self._store, self._bucket, task.key, _CONTENT_TYPE)
        uploads.ids[task.key] = fresh
        uploads.save(uploads.ids)
        return fresh, {}

    def _stray(self, key: str) -> str | None:
        """Return an upload that was begun and never noted: what was written to it is of the same zip."""
        found = multipart.uploads_of(self._store, self._bucket, key)
        return next((upload_id for name, upload_id in found if name == key), None)

    def _is_complete(self, task: _Task) -> bool:
        """Tell whether an upload that is gone has become its object: nothing else is ever written there."""
        try:
            return self._store.head(self._bucket, task.key).size == sum(part.size for part in task.parts)
        except ObjectGoneError:
            return False

    def _write(self, plan: Plan, key: str, upload_id: str, number: int, part: ZipPart) -> Part:
        piece = part.copied
        if piece is not None:
            window = (piece.start, piece.stop)
            return multipart.copy_part(self._store, self._bucket, key, upload_id, number, piece.state, window)
        data, position = BytesIO(), 0
        data.seek(part.size - 1)
        data.write(b"\0")
        with data.getbuffer() as view:
            for content in pieces(plan.contents(part.start, part.stop), _READ_AT_ONCE):
                some = content if isinstance(content, bytes) else self._read(content)
                view[position : position + len(some)] = some
                position += len(some)
        return multipart.write_part(self._store, self._bucket, key, upload_id, number, data)

    def _read(self, piece: Piece) -> bytes:
        return self._store.read_range(piece.state, piece.start, piece.stop)


def _segment_key(key: str, number: int) -> str:
    return f"{key}.segments/{number:05}"


def _drop_upload(store: Store, bucket: str, key: str, upload_id: str) -> None:
    try:
        multipart.abort(store, bucket, key, upload_id)
    except ObjectGoneError:
        return
