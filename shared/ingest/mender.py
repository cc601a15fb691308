"""Mends what differs, by the same function that ingests what events tell of."""

import logging

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, reason_of
from shared.errors import ObjectGoneError, StoreError
from shared.index.holdings import find_owners
from shared.ingest.discrepancies import Discrepancy, DiscrepancyKind
from shared.ingest.patience import settle_or_defer
from shared.ingest.service import Ingester, Outcome
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["Mender"]

_log = logging.getLogger("fitsvault.reconcile")


class Mender:
    """Mends one difference at a time. Safe to share between threads."""

    def __init__(self, settings: Settings, store: Store, sessions: sessionmaker[Session], ingester: Ingester) -> None:
        self._bucket = settings.bucket
        self._derived = settings.derived_bucket
        self._store = store
        self._sessions = sessions
        self._ingester = ingester

    def mend(self, found: Discrepancy) -> Outcome:
        """Mend a difference; UNCHANGED where there is none any more, DEFERRED where it cannot be done now.

        Raises
        ------
        ValueError
            Bytes that changed under the same ETag: only a person can say which are right.
        StoreError
            The store as a whole is away.
        sqlalchemy.exc.DBAPIError
            The database is away.
        """
        if found.kind is DiscrepancyKind.CHECKSUM:
            raise ValueError(f"{found.key} cannot be mended from here")
        if found.kind is DiscrepancyKind.DERIVED_ORPHAN:
            return self._drop(found)
        if found.kind is DiscrepancyKind.DERIVED_MISSING:
            return self._derive(found.key)
        return settle_or_defer(self._ingester, self._bucket, found.key)

    def _drop(self, orphan: Discrepancy) -> Outcome:
        """Delete orphans. Should their frame have come this very moment, they are made again."""
        self._store.delete(self._derived, orphan.orphans)
        digest = "/".join(orphan.key.split("/")[3:5])
        with read(self._sessions) as session:
            owner = find_owners(session, [digest]).get(digest)
        _log.info("orphans deleted", extra={"bucket": self._derived, "keys": orphan.orphans})
        return Outcome.REMOVED if owner is None else self._derive(owner.key)

    def _derive(self, key: str) -> Outcome:
        """Read an object again. One that is gone is left to the comparison of objects: it counts before it removes."""
        try:
            self._store.head(self._bucket, key)
            return self._ingester.settle(self._bucket, key, force=True)
        except ObjectGoneError:
            return Outcome.UNCHANGED
        except (StoreError, OSError) as error:
            self._ingester.check_store()
            _log.warning("not derived", extra={"bucket": self._bucket, "key": key, "reason": reason_of(error)})
            return Outcome.DEFERRED
