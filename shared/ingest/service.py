"""Ingest: makes the index agree with one object as it is now.

An event is a hint. Whatever it says, the object is looked at, read with the look pinned to its ETag, and looked at
once more after the row is written. If it has changed meanwhile, or another has settled it, the work begins anew. So
whoever writes has seen the object after all that the index held before, in whatever order events come and however
many of them are worked on at once.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from sqlalchemy.exc import DataError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from shared.database import write
from shared.errors import (
    FitsError,
    ObjectChangedError,
    ObjectGoneError,
    OvertakenError,
    ReaderDiedError,
    StoreError,
    StoreUnavailableError,
)
from shared.index.attempts import begin_attempt, end_attempt
from shared.index.knowledge import KnownObject, lock_object
from shared.index.record import FailureRecord
from shared.ingest.derive import Reading, read_frame
from shared.ingest.entries import Entries
from shared.logs import log_fields
from shared.settings import Settings
from shared.store.client import Store
from shared.store.fetch import fetched
from shared.store.model import ObjectState

__all__ = ["Ingester", "Outcome"]

_log = logging.getLogger("fitsvault.ingest")
_ROUNDS = 8
_ATTEMPTS = 3


class Outcome(StrEnum):
    """What became of one object."""

    INDEXED = "indexed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    FAILED = "failed"
    IGNORED = "ignored"
    DEFERRED = "deferred"


class Ingester:
    """Ingest with the parts that it needs. Safe to share between threads."""

    def __init__(self, settings: Settings, store: Store, sessions: sessionmaker[Session]) -> None:
        self._settings = settings
        self._store = store
        self._sessions = sessions
        self.entries = Entries(settings, store, sessions)

    @property
    def settings(self) -> Settings:
        """The settings that it works with."""
        return self._settings

    def settle(self, bucket: str, key: str, *, force: bool = False) -> Outcome:
        """Make the index, the failures and the derived objects agree with the object ``key`` as it is now.

        ``force`` reads an object again that is known, or known to be broken, already. An object of another bucket
        than ours, and the empty objects that stand for folders, are ignored.

        Raises
        ------
        StoreUnavailableError
            The store is away, or the object changed faster than it could be read. Try again later.
        StoreError
            The store does not give this object.
        sqlalchemy.exc.DBAPIError
            The database is away. Try again later.
        OSError
            There is no room to work in. Try again later.
        """
        if bucket != self._settings.bucket:
            _log.warning("event for a foreign bucket", extra={"bucket": bucket, "key": key})
            return Outcome.IGNORED
        for _ in range(_ROUNDS):
            known = self.entries.known(key)
            seen = self._look(key)
            try:
                with log_fields(**_upload_of(seen)):
                    outcome = self._agree(key, seen, known, force=force)
            except (ObjectChangedError, ObjectGoneError, OvertakenError):
                continue
            if outcome in (Outcome.UNCHANGED, Outcome.IGNORED) or self._look(key) == seen:
                return outcome
        raise StoreUnavailableError(f"{bucket}/{key} changed {_ROUNDS} times while it was read")

    def check_store(self) -> None:
        """Raise StoreError unless the store as such answers."""
        self._store.check_bucket(self._settings.bucket)

    def _look(self, key: str) -> ObjectState | None:
        try:
            return self._store.head(self._settings.bucket, key)
        except ObjectGoneError:
            return None

    def _agree(self, key: str, seen: ObjectState | None, known: KnownObject, *, force: bool) -> Outcome:
        if seen is None:
            self.entries.remove(key, known)
            return Outcome.REMOVED
        if seen.size == 0 and key.endswith("/"):
            return Outcome.IGNORED
        if not force and _is_settled(seen, known):
            self.entries.tidy(key, known)
            return Outcome.UNCHANGED
        try:
            with fetched(self._store, seen, self._settings.work_dir) as object_, self._attempt(seen):
                reading = read_frame(seen, object_, self._settings)
        except FitsError as error:
            return self._fail(seen, known, error.kind, str(error))
        except (StoreError, SQLAlchemyError):
            raise
        except Exception as error:  # whatever the reader does, the frame is not lost in silence
            if isinstance(error, OSError) and error.errno is not None:
                raise
            _log.error("reader failed", exc_info=error, extra={"bucket": seen.bucket, "key": key})
            return self._fail(seen, known, "unexpected", f"the reader failed on it: {type(error).__name__}: {error}")
        return self._index(seen, known, reading)

    @contextmanager
    def _attempt(self, seen: ObjectState) -> Iterator[None]:
        """Keep a note in the index while an object is read.

        A reader that is killed (a fault in a decompressor's C code, no memory left) can leave no failure record. Its
        note stays, and the object is given up when that has happened too often.
        """
        with write(self._sessions) as session:
            lock_object(session, seen.bucket, seen.key)
            count = begin_attempt(session, seen.bucket, seen.key, seen.etag)
        try:
            if count > _ATTEMPTS:
                raise ReaderDiedError(
                    f"the process that read it was killed {count - 1} times: is it damaged, or more than memory holds?"
                )
            yield
        finally:
            with write(self._sessions) as session:
                end_attempt(session, seen.bucket, seen.key)

    def _index(self, seen: ObjectState, known: KnownObject, reading: Reading) -> Outcome:
        for derived in reading.derived:
            self._store.write_bytes(self._settings.derived_bucket, derived.key, derived.data, derived.content_type)
        try:
            self.entries.put(reading.record, known)
        except DataError as error:
            return self._fail(seen, known, "unexpected", f"the index does not take its values: {error.orig}")
        return Outcome.INDEXED

    def _fail(self, seen: ObjectState, known: KnownObject, kind: str, message: str) -> Outcome:
        record = FailureRecord(
            bucket=seen.bucket,
            key=seen.key,
            version_id=seen.version_id,
            etag=seen.etag,
            size=seen.size,
            kind=kind,
            message=message,
        )
        self.entries.fail(record, known)
        return Outcome.FAILED


def _upload_of(seen: ObjectState | None) -> dict[str, str]:
    """Return the trace of the request to the API that wrote the object, as a field of log lines."""
    return {"upload": seen.trace} if seen is not None and seen.trace is not None else {}


def _is_settled(seen: ObjectState, known: KnownObject) -> bool:
    frame, failure = known.frame, known.failure
    if failure is not None and (failure.is_to_be_retried or not failure.is_verdict):
        return False
    if frame is not None:
        return (frame.etag, frame.version_id, frame.size) == (seen.etag, seen.version_id, seen.size)
    return failure is not None and (failure.etag, failure.version_id) == (seen.etag, seen.version_id)
