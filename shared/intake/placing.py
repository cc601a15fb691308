"""An object put into the science bucket for good or not at all.

While it is in doubt whether the new object becomes a frame, the one that it replaces is kept: by the bucket where it
is versioned, else as a copy in the derived bucket. Should this process be killed meanwhile, or the store or the index
fail, so that the old object cannot be put back, the new one stays, and a copy is left below ``aside/``.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.errors import ObjectGoneError, StoreError, UploadError
from shared.index.frames import find_object
from shared.index.replacing import keep_id, release_id
from shared.intake.waiting import REPLICA_SECONDS, Verdict, Waited, await_index
from shared.logs import current_trace
from shared.settings import Settings
from shared.store.client import Store
from shared.store.model import TRACE_METADATA, ObjectState
from shared.store.transfers import delete_version, is_versioned, upload_path

__all__ = ["ASIDE", "Placer"]

_log = logging.getLogger("fitsvault.intake")

ASIDE = "aside/"
"""Prefix in the derived bucket of objects that an upload is about to replace."""

_CONTENT_TYPE = "application/fits"
_BYTES_PER_SECOND = 10e6


@dataclass(frozen=True, slots=True)
class _Before:
    state: ObjectState | None
    frame_id: int | None = None
    aside: ObjectState | None = None


class Placer:
    """Puts files into the science bucket.

    Parameters
    ----------
    forget
        Takes an object that is gone out of the index.
    replica
        Where frames are listed from, if not from the index itself.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sessions: sessionmaker[Session],
        forget: Callable[[str], object],
        replica: sessionmaker[Session] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._sessions = sessions
        self._forget = forget
        self._replica = replica

    def place(self, path: Path, key: str) -> ObjectState:
        """Write the object and wait until it is a frame.

        Raises
        ------
        UploadError
            It is none, for a reason that the message tells, and all is as it was before; or it is not one yet, and
            stays.
        StoreError
            The store failed: nothing has changed, or what was replaced is left below ``aside/``.
        """
        before = self._set_aside(key)
        try:
            state = upload_path(self._store, self._settings.bucket, key, path, _CONTENT_TYPE, _metadata())
            _log.info("stored", extra={"bucket": state.bucket, "key": key, "etag": state.etag, "size": state.size})
        except BaseException:
            self._clear(before)
            raise
        try:
            waited = self._wait(state)
            if waited.verdict is Verdict.FAILED:
                self._undo(state, before)
        except BaseException:
            self._tell_kept(before)
            raise
        self._clear(before)
        _check(waited)
        if self._replica is not None:
            await_index(self._replica, self._store, state, REPLICA_SECONDS)
        return state

    def _wait(self, state: ObjectState) -> Waited:
        seconds = self._settings.upload_wait_seconds + state.size / _BYTES_PER_SECOND
        return await_index(self._sessions, self._store, state, seconds)

    def _set_aside(self, key: str) -> _Before:
        try:
            state = self._store.head(self._settings.bucket, key)
        except ObjectGoneError:
            return _Before(None)
        with read(self._sessions) as session:
            frame = find_object(session, self._settings.bucket, key)
        frame_id = frame.id if frame is not None else None
        if is_versioned(state):
            return _Before(state, frame_id)
        name = f"{ASIDE}{uuid.uuid4().hex}"
        self._store.copy(state, self._settings.derived_bucket, name)
        return _Before(state, frame_id, self._store.head(self._settings.derived_bucket, name))

    def _undo(self, state: ObjectState, before: _Before) -> None:
        """Let the store and the index be as before, unless another upload has come between."""
        try:
            if self._store.head(state.bucket, state.key) != state:
                return
        except ObjectGoneError:
            return
        keeps = before.frame_id is not None and self._keep_id(state.key, before.frame_id)
        if is_versioned(state):
            delete_version(self._store, state)
        elif before.aside is not None:
            self._store.copy(before.aside, state.bucket, state.key)
        else:
            self._store.delete(state.bucket, (state.key,))
        if before.state is None:
            self._forget(state.key)
        elif self._wait(self._store.head(state.bucket, state.key)).verdict is not Verdict.LATE and keeps:
            self._release_id(before.frame_id)

    def _keep_id(self, key: str, frame_id: int) -> bool:
        with write(self._sessions) as session:
            return keep_id(session, self._settings.bucket, key, frame_id)

    def _release_id(self, frame_id: int | None) -> None:
        if frame_id is not None:
            with write(self._sessions) as session:
                release_id(session, frame_id)

    def _tell_kept(self, before: _Before) -> None:
        """Leave the copy where it is: it may be the only one of the frame that was to be replaced."""
        if before.aside is not None and before.state is not None:
            _log.error("not put back", extra={"key": before.state.key, "copy": before.aside.key})

    def _clear(self, before: _Before) -> None:
        if before.aside is None:
            return
        try:
            self._store.delete(before.aside.bucket, (before.aside.key,))
        except StoreError as error:
            _log.warning("copy left behind", extra={"key": before.aside.key, "reason": str(error)})


def _metadata() -> Mapping[str, str]:
    """Return what tells ingest which request wrote the object."""
    trace = current_trace()
    return {TRACE_METADATA: trace} if trace is not None else {}


def _check(waited: Waited) -> None:
    if waited.verdict is Verdict.FAILED:
        raise UploadError(waited.reason)
    if waited.verdict is Verdict.REPLACED:
        raise UploadError("replaced or deleted by somebody else before it was indexed")
    if waited.verdict is Verdict.LATE:
        raise UploadError("stored, but not indexed yet; it will be listed as soon as it is")
