"""Ingest: makes the index agree with one object as it is now.

An event is a hint. Whatever it says, the object is looked at, read with the look pinned to its ETag, and looked at
once more after the row is written. If it has changed meanwhile the work begins anew. So the last to write has seen
the object as it is, in whatever order events come and however many of them are worked on at once.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.errors import (
    FitsError,
    ObjectChangedError,
    ObjectGoneError,
    ReaderDiedError,
    StoreError,
    StoreUnavailableError,
)
from shared.index.attempts import begin_attempt, end_attempt
from shared.index.failures import clear_failure, find_failure, record_failure
from shared.index.frames import find_object, put_frame, remove_frame
from shared.index.record import FailureRecord
from shared.ingest.derive import Reading, read_frame
from shared.ingest.fetch import fetched
from shared.ingest.forget import forget_object
from shared.settings import Settings
from shared.store.client import Store
from shared.store.model import ObjectState
from shared.store.naming import derived_keys

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


class Ingester:
    """Ingest with the parts that it needs. Safe to share between threads."""

    def __init__(self, settings: Settings, store: Store, sessions: sessionmaker[Session]) -> None:
        self._settings = settings
        self._store = store
        self._sessions = sessions

    def settle(self, bucket: str, key: str, *, force: bool = False) -> Outcome:
        """Make the index, the failures and the derived objects agree with the object ``key`` as it is now.

        ``force`` reads an object again that is known, or known to be broken, already. An object of another bucket
        than ours, and the empty objects that stand for folders, are ignored.

        Raises
        ------
        StoreUnavailableError
            The store is away, or the object changed faster than it could be read. Try again later.
        sqlalchemy.exc.DBAPIError
            The database is away. Try again later.
        """
        if bucket != self._settings.bucket:
            _log.warning("event for a foreign bucket", extra={"bucket": bucket, "key": key})
            return Outcome.IGNORED
        for _ in range(_ROUNDS):
            seen = self._look(key)
            try:
                outcome = self._agree(key, seen, force=force)
            except (ObjectChangedError, ObjectGoneError):
                continue
            if outcome in (Outcome.UNCHANGED, Outcome.IGNORED) or self._look(key) == seen:
                return outcome
            force = True
        raise StoreUnavailableError(f"{bucket}/{key} changed {_ROUNDS} times while it was read")

    def _look(self, key: str) -> ObjectState | None:
        try:
            return self._store.head(self._settings.bucket, key)
        except ObjectGoneError:
            return None

    def _agree(self, key: str, seen: ObjectState | None, *, force: bool) -> Outcome:
        if seen is None:
            return self._forget(key)
        if seen.size == 0 and key.endswith("/"):
            return Outcome.IGNORED
        if not force and self._is_settled(seen):
            return Outcome.UNCHANGED
        try:
            with fetched(self._store, seen, self._settings.work_dir) as object_, self._attempt(seen):
                reading = read_frame(seen, object_, self._settings)
        except FitsError as error:
            return self._fail(seen, error.kind, str(error))
        except StoreError:
            raise
        except Exception as error:  # whatever the reader does, the frame is not lost in silence
            if isinstance(error, OSError) and error.errno is not None:
                raise
            _log.error("reader failed", exc_info=error, extra={"bucket": seen.bucket, "key": key})
            return self._fail(seen, "unexpected", f"the reader failed on it: {type(error).__name__}: {error}")
        return self._index(reading)

    @contextmanager
    def _attempt(self, seen: ObjectState) -> Iterator[None]:
        """Keep a note in the index while an object is read.

        A reader that is killed (a fault in a decompressor's C code, no memory left) can leave no failure record. Its
        note stays, and the object is given up when that has happened too often.
        """
        with write(self._sessions) as session:
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

    def _is_settled(self, seen: ObjectState) -> bool:
        with read(self._sessions) as session:
            row = find_object(session, seen.bucket, seen.key)
            if row is not None:
                return (row.etag, row.version_id, row.size) == (seen.etag, seen.version_id, seen.size)
            failure = find_failure(session, seen.bucket, seen.key)
            if failure is None or failure.retry_at is not None:
                return False
            return (failure.etag, failure.version_id) == (seen.etag, seen.version_id)

    def _index(self, reading: Reading) -> Outcome:
        record = reading.record
        for derived in reading.derived:
            self._store.write_bytes(self._settings.derived_bucket, derived.key, derived.data, derived.content_type)
        with write(self._sessions) as session:
            before = find_object(session, record.bucket, record.key)
            frame_id = put_frame(session, record)
            clear_failure(session, record.bucket, record.key)
        if before is not None and before.digest != record.digest:
            self._drop_derived(before.digest)
        _log.info("indexed", extra={"bucket": record.bucket, "key": record.key, "frame": frame_id})
        return Outcome.INDEXED

    def _forget(self, key: str) -> Outcome:
        forget_object(self._settings, self._store, self._sessions, key)
        return Outcome.REMOVED

    def _fail(self, seen: ObjectState, kind: str, message: str) -> Outcome:
        with write(self._sessions) as session:
            before = find_object(session, seen.bucket, seen.key)
            remove_frame(session, seen.bucket, seen.key)
            record_failure(
                session,
                FailureRecord(
                    bucket=seen.bucket,
                    key=seen.key,
                    version_id=seen.version_id,
                    etag=seen.etag,
                    size=seen.size,
                    kind=kind,
                    message=message,
                ),
            )
        if before is not None:
            self._drop_derived(before.digest)
        _log.warning("not indexed", extra={"bucket": seen.bucket, "key": seen.key, "kind": kind, "reason": message})
        return Outcome.FAILED

    def _drop_derived(self, digest: str) -> None:
        self._store.delete(self._settings.derived_bucket, derived_keys(digest))
