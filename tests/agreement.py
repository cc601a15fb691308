"""Whether an archive agrees with its buckets: objects, frames, failures and derived objects, compared exactly.

It looks for itself, with none of the code that reconcile and check are made of but the store's client and the tables.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from shared.database import make_engine
from shared.errors import FitsvaultError
from shared.index.models import Failure, Frame
from shared.settings import Settings
from shared.store.client import Store
from shared.store.model import ObjectState
from shared.store.naming import CATALOG, HEADERS, PREVIEW_LARGE, PREVIEW_SMALL, derived_key

__all__ = ["Contents", "Inspector", "disagreements"]

_AT_ONCE = 8
_ASIDE = "aside/"


@dataclass(frozen=True, slots=True)
class Contents:
    """All that an archive holds at one moment, by key. Folder markers (empty, with a slash at the end) are left out."""

    objects: Mapping[str, ObjectState]
    frames: Mapping[str, Frame]
    failures: Mapping[str, Failure]
    derived: Mapping[str, ObjectState]

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """Something that is equal exactly if nothing was touched."""
        return (
            sorted((state.key, state.etag) for state in self.objects.values()),
            sorted((frame.id, frame.key, frame.etag, frame.updated_at) for frame in self.frames.values()),
            sorted((failure.id, failure.key, failure.attempts) for failure in self.failures.values()),
            sorted((state.key, state.etag, state.last_modified) for state in self.derived.values()),
        )


class Inspector:
    """Looks at an archive with a store and a database of its own, made once, as that takes longer than a look."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = Store(settings)
        self._engine = make_engine(settings.effective_database_url)

    def close(self) -> None:
        """Let go of connections."""
        self._store.s3.close()
        self._engine.dispose()

    def look(self) -> Contents:
        """Return all that the archive holds, its database read first."""
        settings, store = self._settings, self._store
        frames, failures = _rows(self._engine, settings.bucket)
        return Contents(
            objects={
                state.key: state for state in store.walk(settings.bucket) if state.size or not state.key.endswith("/")
            },
            frames=frames,
            failures=failures,
            derived={state.key: state for state in store.walk(settings.derived_bucket)},
        )

    def differences(self, contents: Contents, *, deep: bool = False) -> list[str]:
        """Return a sentence for each way in which the three differ; ``deep`` as for ``disagreements``."""
        found = [*_of_objects(contents), *_of_derived(contents)]
        look_closer = _of_bytes if deep else _of_version
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for more in pool.map(
                lambda frame: list(look_closer(self._store, self._settings, frame)), contents.frames.values()
            ):
                found += more
        return found


def disagreements(settings: Settings, *, broken: Iterable[str] | None = None, deep: bool = False) -> list[str]:
    """Return a sentence for each way in which index, derived bucket and science bucket differ; none if they agree.

    Parameters
    ----------
    broken
        The keys that must be failures, and no others.
    deep
        Also read all bytes: checksums of the frames' objects, and derived objects that are only half there.
    """
    with closing(Inspector(settings)) as inspector:
        contents = inspector.look()
        found = inspector.differences(contents, deep=deep)
    if broken is not None:
        found += [f"{key} is broken and no failure" for key in sorted(set(broken) - set(contents.failures))]
        found += [f"{key} is a failure and not broken" for key in sorted(set(contents.failures) - set(broken))]
    return found


def _rows(engine: Engine, bucket: str) -> tuple[dict[str, Frame], dict[str, Failure]]:
    with Session(engine, expire_on_commit=False) as session:
        frames = session.scalars(select(Frame).where(Frame.bucket == bucket)).all()
        failures = session.scalars(select(Failure).where(Failure.bucket == bucket)).all()
        session.expunge_all()
    return {frame.key: frame for frame in frames}, {failure.key: failure for failure in failures}


def _of_objects(contents: Contents) -> Iterator[str]:
    for key, state in contents.objects.items():
        entries = [entry for entry in (contents.frames.get(key), contents.failures.get(key)) if entry is not None]
        if not entries:
            yield f"{key} is in the bucket and not in the index"
        if len(entries) > 1:
            yield f"{key} is a frame and a failure"
        for entry in entries:
            if (entry.etag, entry.size) != (state.etag, state.size):
                yield f"{key} is {state.etag}, {state.size} bytes, and {entry.etag}, {entry.size} bytes in the index"
    for name, entries_by_key in (("frame", contents.frames), ("failure", contents.failures)):
        for key in sorted(set(entries_by_key) - set(contents.objects)):
            yield f"{key} is a {name} without object"


def _of_derived(contents: Contents) -> Iterator[str]:
    wanted = {key: frame.key for frame in contents.frames.values() for key in _derived_keys(frame)}
    for key in sorted(set(wanted) - set(contents.derived)):
        yield f"{wanted[key]} has no {key}"
    for key in sorted(set(contents.derived) - set(wanted)):
        if not key.startswith(_ASIDE):
            yield f"{key} belongs to no frame"
    for key, state in contents.derived.items():
        if key in wanted and state.size == 0:
            yield f"{key} of {wanted[key]} is empty"


def _derived_keys(frame: Frame) -> list[str]:
    names = [HEADERS, PREVIEW_SMALL, PREVIEW_LARGE, *([CATALOG] if frame.catalog_rows is not None else [])]
    return [derived_key(frame.digest, name) for name in names]


def _of_version(store: Store, settings: Settings, frame: Frame) -> Iterator[str]:
    """Look at the versions of a frame whose bucket has them; listings do not tell them."""
    if frame.version_id in (None, "null"):
        return
    try:
        state = store.head(settings.bucket, frame.key)
    except FitsvaultError as error:
        yield f"{frame.key}: {error}"
    else:
        if state.version_id != frame.version_id:
            yield f"{frame.key} is version {state.version_id}, and {frame.version_id} in the index"


def _of_bytes(store: Store, settings: Settings, frame: Frame) -> Iterator[str]:
    yield from _of_version(store, settings, frame)
    try:
        data = store.s3.get_object(Bucket=settings.bucket, Key=frame.key)["Body"].read()
        if (zlib.crc32(data), hashlib.sha256(data).hexdigest()) != (frame.crc32, frame.sha256):
            yield f"{frame.key} has other bytes than those that were indexed"
        for key in _derived_keys(frame):
            _read_whole(key, store.s3.get_object(Bucket=settings.derived_bucket, Key=key)["Body"].read())
    except (FitsvaultError, OSError, ValueError, store.s3.exceptions.ClientError) as error:
        yield f"{frame.key}: {error}"


def _read_whole(key: str, data: bytes) -> None:
    """Raise ValueError or OSError if a derived object is only half there."""
    name = key.rsplit("/", 1)[-1]
    if name == HEADERS:
        json.loads(data)
    elif name in (PREVIEW_SMALL, PREVIEW_LARGE):
        with Image.open(BytesIO(data)) as image:
            image.load()
    elif not data.endswith(b"\n"):
        raise ValueError(f"{key} ends within a line")
