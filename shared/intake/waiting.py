"""Waiting until the index knows an object, or knows why it is no frame."""

import time
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read
from shared.errors import ObjectGoneError, StoreUnavailableError
from shared.index.failures import find_failure
from shared.index.frames import find_object
from shared.intake.fates import settled
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["REPLICA_SECONDS", "Verdict", "Waited", "await_absence", "await_index"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_LOOK_SECONDS = 2.0
REPLICA_SECONDS = 5.0
"""How long an answer waits for a replica, so that who asks next finds what was done; then it goes out all the same."""


class Verdict(StrEnum):
    """What became of an object while one waited."""

    INDEXED = "indexed"
    FAILED = "failed"
    REPLACED = "replaced"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Waited:
    """The verdict, and for a failure its reason."""

    verdict: Verdict
    reason: str = ""


def await_index(sessions: sessionmaker[Session], store: Store, state: ObjectState, seconds: float) -> Waited:
    """Wait until exactly this object (key, ETag, version) is a frame or a failure.

    That store or index do not answer for a while is no verdict. An object that is another one now, or gone, will
    never be indexed: REPLACED.
    """
    deadline = time.monotonic() + seconds
    looked, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        found = _found(sessions, state)
        if found is not None:
            return found
        now = time.monotonic()
        if now >= deadline:
            return Waited(Verdict.LATE)
        if now - looked >= _LOOK_SECONDS:
            looked = now
            if _is_replaced(store, state):
                return _found(sessions, state) or Waited(Verdict.REPLACED)
        time.sleep(min(pause, max(0.0, deadline - now)))
        pause = min(pause * 1.25, _LONGEST_PAUSE)


def await_absence(replica: sessionmaker[Session], bucket: str, key: str) -> bool:
    """Wait until a replica holds no frame of an object; False if it still does after `REPLICA_SECONDS`."""
    deadline, pause = time.monotonic() + REPLICA_SECONDS, _FIRST_PAUSE
    while _is_there(replica, bucket, key):
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.25, _LONGEST_PAUSE)
    return True


def _is_there(replica: sessionmaker[Session], bucket: str, key: str) -> bool:
    try:
        with read(replica) as session:
            return find_object(session, bucket, key) is not None
    except OperationalError:
        return True


def _found(sessions: sessionmaker[Session], state: ObjectState) -> Waited | None:
    try:
        with read(sessions) as session:
            frame = find_object(session, state.bucket, state.key)
            failure = find_failure(session, state.bucket, state.key)
    except OperationalError:
        return None
    told = settled(state, frame, failure)
    return Waited(Verdict(told.state), told.reason or "") if told is not None else None


def _is_replaced(store: Store, state: ObjectState) -> bool:
    try:
        now = store.head(state.bucket, state.key)
    except ObjectGoneError:
        return True
    except StoreUnavailableError:
        return False
    return (now.etag, now.version_id) != (state.etag, state.version_id)
