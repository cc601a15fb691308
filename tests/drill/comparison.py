"""Whether bucket, index, failures and derived bucket agree: everything is read, and read anew.

The bucket is the truth. Each object's bytes are fetched and looked at again; what index and derived bucket should
hold of them follows.
"""

import hashlib
import io
import json
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read
from shared.errors import FitsError, StoreUnavailableError
from shared.index.failures import UNAVAILABLE
from shared.index.models import Attempt, Failure, Frame
from shared.ingest.derive import read_frame
from shared.settings import Settings
from shared.store.client import Store
from shared.store.fetch import FetchedObject
from shared.store.model import ObjectState
from shared.store.naming import derived_key, derived_keys, object_digest

__all__ = ["UNREADABLE", "Comparison", "Difference", "compare_all"]

UNREADABLE = "unreadable"
"""Stands for the SHA-256 of an object that the store does not give."""

_AT_ONCE = 8
_PATIENCE = 30.0
_OF_THE_OBJECT = {"bucket", "key", "version_id", "etag", "last_modified", "digest", "basename", "filename", "links"}
_STORED_OTHERWISE = {"footprint", "hdu_kinds", "notes"}

Judge = Callable[[bytes], bool | None]


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing that is not as it should be."""

    kind: str
    key: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What there is, and what of it is wrong.

    Attributes
    ----------
    contents
        SHA-256 of every object in the bucket, by key; `UNREADABLE` for one that the store does not give.
    counts
        How many there are of each kind of thing.
    """

    differences: list[Difference]
    contents: Mapping[str, str]
    counts: Mapping[str, int]

    def by_kind(self) -> Counter[str]:
        """Return how many differences of each kind there are."""
        return Counter(difference.kind for difference in self.differences)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What index and derived bucket should hold of some bytes: a frame's columns, or the kind of a failure."""

    sha256: str
    columns: Mapping[str, Any] | None
    derived: Mapping[str, bytes] = field(default_factory=dict)
    failure: str | None = None


def compare_all(
    settings: Settings, store: Store, sessions: sessionmaker[Session], *, judge: Judge = lambda _: None
) -> Comparison:
    """Read everything there is, and return what differs. Nothing may be at work meanwhile.

    Parameters
    ----------
    judge
        Tells from an object's bytes whether they are a frame, by other means than the archive's own reader; None
        where it does not know.
    """
    with tempfile.TemporaryDirectory(prefix="fitsvault-drill-") as folder:
        reader = _Reader(settings, store, sessions, judge, Path(folder))
        return reader.make()


class _Reader:
    def __init__(
        self, settings: Settings, store: Store, sessions: sessionmaker[Session], judge: Judge, folder: Path
    ) -> None:
        self._settings = settings
        self._store = store
        self._judge = judge
        self._folder = folder
        self._unreadable: Set[str] = frozenset()
        self._readings: dict[str, _Reading] = {}
        with read(sessions) as session:
            self._frames = list(session.scalars(select(Frame).order_by(Frame.key)))
            self._failures = list(session.scalars(select(Failure).order_by(Failure.key)))
            self._attempts = list(session.scalars(select(Attempt).order_by(Attempt.key)))
        self._objects = {
            found.key: found for found in store.walk(settings.bucket) if found.size or not found.key.endswith("/")
        }
        self._derived = {found.key for found in store.walk(settings.derived_bucket, prefix="frames/")}

    def make(self) -> Comparison:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            read_all = dict(pool.map(self._read, self._objects.values()))
            stored = dict(pool.map(self._read_derived, sorted(self._derived)))
        contents = {key: data for key, data in read_all.items() if data is not None}
        for data in contents.values():
            self._look_at(data)
        shas = {key: hashlib.sha256(data).hexdigest() for key, data in contents.items()}
        self._unreadable = read_all.keys() - contents.keys()
        differences = [
            *self._of_keys(),
            *self._of_unreadable(),
            *self._of_objects(contents, shas),
            *self._of_derived(shas, stored),
        ]
        counts = {
            "objects": len(self._objects),
            "objects that the store lists and does not give": len(self._unreadable),
            "frames": len(self._frames),
            "failures": len(self._failures),
            "derived objects": len(self._derived),
            "attempts left over": len(self._attempts),
        }
        return Comparison(sorted(differences), shas | dict.fromkeys(self._unreadable, UNREADABLE), counts)

    def _read(self, state: ObjectState) -> tuple[str, bytes | None]:
        return state.key, self._bytes(state.bucket, state.key)

    def _read_derived(self, key: str) -> tuple[str, bytes | None]:
        return key, self._bytes(self._settings.derived_bucket, key)

    def _bytes(self, bucket: str, key: str) -> bytes | None:
        """Return an object's bytes; None where the store lists it and does not give it, however often it is asked."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                return self._store.read_bytes(bucket, key, 1 << 30)
            except StoreUnavailableError:
                time.sleep(1)
        return None

    def _look_at(self, data: bytes) -> None:
        """Look at bytes as ingest does, once for each content."""
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in self._readings:
            return
        path = self._folder / "object"
        path.write_bytes(data)
        state = next(iter(self._objects.values()))
        fetched = FetchedObject(path, zlib.crc32(data), sha256)
        try:
            reading = read_frame(state, fetched, self._settings)
        except FitsError as error:
            self._readings[sha256] = _Reading(sha256, None, failure=error.kind)
            return
        columns = {name: value for name, value in asdict(reading.record).items() if name not in _OF_THE_OBJECT}
        columns |= {"size": len(data)}
        derived = {found.key.rsplit("/", 1)[-1]: found.data for found in reading.derived}
        self._readings[sha256] = _Reading(sha256, columns, derived)

    def _of_keys(self) -> Iterator[Difference]:
        """Yield what keys alone tell: phantoms, and what is there twice."""
        for name, rows in (("phantom frame", self._frames), ("phantom failure", self._failures)):
            for row in rows:
                if row.bucket != self._settings.bucket or row.key not in self._objects:
                    yield Difference(name, row.key)
        yield from _twice("duplicate frame", (frame.key for frame in self._frames))
        yield from _twice("duplicate failure", (failure.key for failure in self._failures))
        yield from _twice("duplicate digest", (frame.digest for frame in self._frames))
        framed = {frame.key for frame in self._frames}
        yield from (
            Difference("frame and failure", failure.key, failure.kind)
            for failure in self._failures
            if failure.key in framed and failure.key not in self._unreadable
        )

    def _of_unreadable(self) -> Iterator[Difference]:
        """Yield objects that nobody can read, if they neither were indexed before that nor are failures for it."""
        noted = {failure.key for failure in self._failures if failure.kind == UNAVAILABLE}
        rows: list[Frame | Failure] = [*self._frames, *self._failures]
        noted |= {row.key for row in rows if self._is_of(row)}
        yield from (Difference("missing", key, "unreadable, and no failure") for key in self._unreadable - noted)

    def _is_of(self, row: Frame | Failure) -> bool:
        """Tell whether the row is of the object that is there now."""
        found = self._objects.get(row.key)
        return found is not None and (row.etag, row.size) == (found.etag, found.size)

    def _of_objects(self, contents: Mapping[str, bytes], shas: Mapping[str, str]) -> Iterator[Difference]:
        frames = {frame.key: frame for frame in self._frames}
        failures = {failure.key: failure for failure in self._failures}
        for key, data in contents.items():
            reading, frame, failure = self._readings[shas[key]], frames.get(key), failures.get(key)
            verdict = self._judge(data)
            if verdict is not None and verdict != (reading.columns is not None):
                yield Difference("reader's verdict", key, f"{reading.failure or 'a frame'}; it is a frame: {verdict}")
            if frame is None and failure is None:
                yield Difference("missing", key, "neither frame nor failure")
            elif frame is not None and reading.columns is None:
                yield Difference("stale frame", key, f"its object is none: {reading.failure}")
            elif frame is None and failure is not None and failure.kind != UNAVAILABLE and not self._is_of(failure):
                yield Difference("stale failure", key, failure.message)
            elif reading.columns is not None and frame is None and failure is not None:
                yield Difference("wrong failure", key, f"{failure.kind}: {failure.message}")
            elif frame is not None:
                yield from self._of_frame(frame, reading)
            elif failure is not None:
                yield from self._of_failure(failure, reading)

    def _of_frame(self, frame: Frame, reading: _Reading) -> Iterator[Difference]:
        if not self._is_of(frame) or frame.sha256 != reading.sha256:
            etag = self._objects[frame.key].etag
            yield Difference("stale frame", frame.key, f"ETag {frame.etag}, the object has {etag}")
            return
        for name, value in (reading.columns or {}).items():
            if name not in _STORED_OTHERWISE and getattr(frame, name) != value:
                yield Difference("wrong row", frame.key, f"{name} {getattr(frame, name)!r}, not {value!r}")

    def _of_failure(self, failure: Failure, reading: _Reading) -> Iterator[Difference]:
        if failure.kind != reading.failure:
            yield Difference("wrong failure", failure.key, f"{failure.kind}, not {reading.failure}: {failure.message}")

    def _of_derived(self, shas: Mapping[str, str], stored: Mapping[str, bytes | None]) -> Iterator[Difference]:
        owned: set[str] = set()
        for frame in self._frames:
            if not frame.digest.startswith(f"{object_digest(frame.bucket, frame.key)}/"):
                yield Difference("foreign derived objects", frame.key, frame.digest)
            if shas.get(frame.key) != frame.sha256:
                owned |= set(derived_keys(frame.digest))
                continue
            for name, data in self._readings[frame.sha256].derived.items():
                owned.add(derived_key(frame.digest, name))
                yield from _of_one(frame.key, name, stored.get(derived_key(frame.digest, name)), data)
        yield from (Difference("derived orphan", key) for key in sorted(self._derived - owned))


def _of_one(key: str, name: str, stored: bytes | None, expected: bytes) -> Iterator[Difference]:
    if stored is None:
        yield Difference("derived missing", key, name)
        return
    try:
        _open(name, stored)
    except (ValueError, OSError, SyntaxError) as error:
        yield Difference("derived broken", key, f"{name}: {error}")
    else:
        if stored != expected:
            yield Difference("derived stale", key, name)


def _open(name: str, data: bytes) -> None:
    """Raise unless the bytes are a whole JSON document, picture or table."""
    if name.endswith(".json"):
        json.loads(data)
    elif name.startswith("preview"):
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    else:
        data.decode()


def _twice(kind: str, keys: Iterable[str]) -> Iterator[Difference]:
    yield from (Difference(kind, key, f"{count} times") for key, count in Counter(keys).items() if count > 1)
