"""What became of objects: frames, failures, or nothing yet; each as the object is now."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read
from shared.errors import ObjectGoneError
from shared.index.failures import UNAVAILABLE, find_failures
from shared.index.frames import IndexedObject, find_objects
from shared.index.models import Failure
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["Fate", "State", "fates", "settled"]


class State(StrEnum):
    """What there is of an object."""

    ABSENT = "absent"
    WAITING = "waiting"
    INDEXED = "indexed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an object; for a failure, or what cannot be read just now, its kind and reason."""

    key: str
    state: State
    frame_id: int | None = None
    kind: str | None = None
    reason: str | None = None


def fates(
    sessions: sessionmaker[Session], store: Store, threads: Executor, bucket: str, keys: Sequence[str]
) -> list[Fate]:
    """Return what became of each object, in the order of its key.

    The store is asked first: what the index then says of another ETag or version is of an object that was there before.

    Raises
    ------
    StoreError
        The store cannot be asked.
    """
    states = list(threads.map(lambda key: _look(store, bucket, key), keys))
    with read(sessions) as session:
        frames, failures = find_objects(session, bucket, keys), find_failures(session, bucket, keys)
    return [_fate(key, state, frames.get(key), failures.get(key)) for key, state in zip(keys, states, strict=True)]


def _look(store: Store, bucket: str, key: str) -> ObjectState | None:
    try:
        return store.head(bucket, key)
    except ObjectGoneError:
        return None


def settled(now: ObjectState, frame: IndexedObject | None, failure: Failure | None) -> Fate | None:
    """Return what the index says of exactly this object (ETag, version); None while it says nothing."""
    revision = (now.etag, now.version_id)
    if frame is not None and (frame.etag, frame.version_id) == revision:
        return Fate(now.key, State.INDEXED, frame_id=frame.id)
    if failure is not None and (failure.etag, failure.version_id) == revision:
        return Fate(now.key, State.FAILED, kind=failure.kind, reason=failure.message)
    return None


def _fate(key: str, now: ObjectState | None, frame: IndexedObject | None, failure: Failure | None) -> Fate:
    if now is None:
        return Fate(key, State.ABSENT)
    found = settled(now, frame, failure)
    if found is not None:
        return found
    if failure is not None and failure.kind == UNAVAILABLE:
        state = State.WAITING if failure.retry_at is not None else State.FAILED
        return Fate(key, state, kind=failure.kind, reason=failure.message)
    return Fate(key, State.WAITING)
