"""What the index says of one object, written in one transaction or not at all. Imports no reader.

Each method is shown what the index held before the object was looked at (`shared.index.knowledge`), and raises
OvertakenError when that is no longer so.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.errors import OvertakenError
from shared.index.attempts import end_attempt
from shared.index.failures import clear_failure, record_failure, record_unavailable
from shared.index.frames import put_frame, remove_frame
from shared.index.knowledge import KnownObject, known_object, lock_object
from shared.index.outbox import announcing
from shared.index.record import FailureRecord, FrameRecord
from shared.index.superseded import end_superseded, note_superseded
from shared.index.tallies import gather, has_many_changes
from shared.settings import Settings
from shared.store.client import Store
from shared.store.naming import derived_keys

__all__ = ["Entries"]

_log = logging.getLogger("fitsvault.ingest")


class Entries:
    """Frames, failures and derived objects of the science bucket's objects. Safe to share between threads."""

    def __init__(self, settings: Settings, store: Store, sessions: sessionmaker[Session]) -> None:
        self._bucket = settings.bucket
        self._derived_bucket = settings.derived_bucket
        self._targets = settings.notify_targets
        self._most_attempts = settings.retry_attempts
        self._store = store
        self._sessions = sessions

    def known(self, key: str) -> KnownObject:
        """Return what the index holds of an object."""
        with read(self._sessions) as session:
            return known_object(session, self._bucket, key)

    def put(self, record: FrameRecord, known: KnownObject) -> int:
        """Write the object's frame; return its id. Its derived objects must be there, and go if it is overtaken."""
        try:
            with self._writing(record.key, known, own=record.digest) as (session, before):
                frame_id = put_frame(session, record)
                clear_failure(session, self._bucket, record.key)
        except OvertakenError:
            if self.known(record.key).digest != record.digest:
                self._store.delete(self._derived_bucket, derived_keys(record.digest))
            raise
        self._drop_superseded(record.key, before)
        self._gather()
        _log.info("indexed", extra={"bucket": self._bucket, "key": record.key, "frame": frame_id})
        return frame_id

    def fail(self, record: FailureRecord, known: KnownObject) -> None:
        """Write that the object cannot be indexed. A frame that it replaced goes."""
        with self._writing(record.key, known) as (session, before):
            remove_frame(session, self._bucket, record.key)
            record_failure(session, record)
        self._drop_superseded(record.key, before)
        _log.warning(
            "not indexed",
            extra={"bucket": self._bucket, "key": record.key, "kind": record.kind, "reason": record.message},
        )

    def remove(self, key: str, known: KnownObject) -> None:
        """Take out an object that is gone."""
        with self._writing(key, known) as (session, before):
            remove_frame(session, self._bucket, key)
            clear_failure(session, self._bucket, key)
            end_attempt(session, self._bucket, key)
        self._drop_superseded(key, before)
        _log.info(
            "removed", extra={"bucket": self._bucket, "key": key, "frame": before.frame.id if before.frame else None}
        )

    def note_unavailable(
        self, key: str, reason: str, *, count: Callable[[KnownObject], int], due: Callable[[int], dt.datetime | None]
    ) -> None:
        """Write that the object could not be settled just now; what the index holds of it stays.

        Parameters
        ----------
        count
            How many attempts there were, by what the index holds.
        due
            When the next one is due, by their number; None if there is none.
        """
        with write(self._sessions) as session:
            lock_object(session, self._bucket, key)
            attempts = count(known_object(session, self._bucket, key))
            retry_at = due(attempts)
            is_given_up = retry_at is None and attempts >= self._most_attempts
            with announcing(session, self._targets if is_given_up else (), self._bucket, key):
                record_unavailable(session, self._bucket, key, reason, attempts=attempts, retry_at=retry_at)
        _log.warning(
            "not settled",
            extra={
                "bucket": self._bucket,
                "key": key,
                "attempts": attempts,
                "retry_at": retry_at.isoformat() if retry_at else None,
                "reason": reason,
            },
        )

    def tidy(self, key: str, known: KnownObject) -> None:
        """Delete derived objects of the object that were superseded."""
        for digest in known.superseded:
            if digest != known.digest:
                self._store.delete(self._derived_bucket, derived_keys(digest))
            with write(self._sessions) as session:
                lock_object(session, self._bucket, key)
                end_superseded(session, digest)

    def _gather(self) -> None:
        """Gather counts now and then; what is not gathered is counted all the same (`shared.index.tallies`)."""
        with read(self._sessions) as session:
            is_time = has_many_changes(session)
        if is_time:
            with write(self._sessions) as session:
                gather(session)

    @contextmanager
    def _writing(
        self, key: str, known: KnownObject, *, own: str | None = None
    ) -> Iterator[tuple[Session, KnownObject]]:
        """Open the transaction in which nobody else writes about the object.

        ``own`` is the digest of the frame to be written: that another has written the same is no matter.
        """
        with write(self._sessions) as session:
            lock_object(session, self._bucket, key)
            now = known_object(session, self._bucket, key)
            if not now.agrees(known) and (own is None or (now.digest, now.verdict) != (own, None)):
                raise OvertakenError(f"{self._bucket}/{key} was settled by another meanwhile")
            if now.digest not in (None, own):
                note_superseded(session, self._bucket, key, str(now.digest))
            with announcing(session, self._targets, self._bucket, key):
                yield session, now

    def _drop_superseded(self, key: str, before: KnownObject) -> None:
        """Delete what the transaction has made superfluous, and what somebody who was killed has left."""
        if before.digest is not None or before.superseded:
            self.tidy(key, self.known(key))
