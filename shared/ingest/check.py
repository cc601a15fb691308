"""Check: objects, rows, derived objects and checksums against each other, and what repairs each difference."""

import datetime as dt
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, utc_now
from shared.errors import ObjectChangedError, ObjectGoneError
from shared.index.holdings import SummedObject, find_owner, walk_owners, walk_sums
from shared.ingest.derived import DERIVED_PREFIX, Missing, Orphan, compare_derived, derived_sets
from shared.ingest.reconcile import Reconciler
from shared.ingest.service import Ingester
from shared.parallel import in_parallel
from shared.settings import Settings
from shared.store.client import Store
from shared.store.model import ObjectState
from shared.store.naming import derived_key

__all__ = ["Checker", "Finding", "FindingKind"]

_AT_ONCE = 4
_GRACE = dt.timedelta(hours=1)


class FindingKind(StrEnum):
    """How store and index differ; the first three are those of `shared.ingest.reconcile`."""

    UNINDEXED = "unindexed"
    PHANTOM = "phantom"
    STALE = "stale"
    DERIVED_MISSING = "derived-missing"
    DERIVED_ORPHAN = "derived-orphan"
    CHECKSUM = "checksum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference: the object's key, or the common part of orphans' keys, and what an operator should know."""

    kind: FindingKind
    key: str
    detail: str = ""
    orphans: tuple[str, ...] = ()


class Checker:
    """Finds differences in constant memory, and repairs them one by one.

    All methods raise StoreUnavailableError and database errors: then nothing is said about the rest.
    """

    def __init__(self, settings: Settings, store: Store, sessions: sessionmaker[Session], ingester: Ingester) -> None:
        self._bucket = settings.bucket
        self._derived = settings.derived_bucket
        self._store = store
        self._sessions = sessions
        self._ingester = ingester
        self._reconciler = Reconciler(settings.bucket, store, sessions, ingester)

    def objects(self, prefix: str = "") -> Iterator[Finding]:
        """Yield where the bucket's listing and the index differ."""
        for found in self._reconciler.find(prefix):
            yield Finding(kind=FindingKind(found.kind), key=found.key)

    def derived(self, prefix: str = "") -> Iterator[Finding]:
        """Yield frames without derived objects and, for the whole archive only, derived objects without a frame.

        An orphan younger than an hour may be of a frame that is being ingested just now, and is left out.
        """
        stored = derived_sets(self._store.walk(self._derived, prefix=DERIVED_PREFIX))
        for found in compare_derived(stored, walk_owners(self._sessions)):
            finding = self._missing(found, prefix) if isinstance(found, Missing) else self._orphan(found, prefix)
            if finding is not None:
                yield finding

    def checksums(self, prefix: str = "") -> Iterator[Finding | None]:
        """Read all indexed objects again, and yield for each None or how its bytes differ from what was indexed."""
        frames = walk_sums(self._sessions, self._bucket, prefix=prefix)
        for _, finding in in_parallel(self._sum, frames, _AT_ONCE):
            yield finding

    def repair(self, finding: Finding) -> bool:
        """Repair a difference; False where only a person can: bytes that changed under the same ETag."""
        if finding.kind is FindingKind.CHECKSUM:
            return False
        if finding.kind is FindingKind.DERIVED_ORPHAN:
            self._store.delete(self._derived, finding.orphans)
        else:
            self._ingester.settle(self._bucket, finding.key, force=finding.kind is FindingKind.DERIVED_MISSING)
        return True

    def _missing(self, found: Missing, prefix: str) -> Finding | None:
        """Return the finding if it is still true: the two listings were read at different moments."""
        owner = found.owner
        if owner.bucket != self._bucket or not owner.key.startswith(prefix):
            return None
        lacking = sorted(name for name in found.names if not self._is_there(derived_key(owner.digest, name)))
        if not lacking or self._owner_of(owner.digest) is None:
            return None
        return Finding(kind=FindingKind.DERIVED_MISSING, key=owner.key, detail=", ".join(lacking))

    def _orphan(self, orphan: Orphan, prefix: str) -> Finding | None:
        found = orphan.found
        if prefix or found.last_modified > utc_now() - _GRACE or self._owner_of(found.digest) is not None:
            return None
        return Finding(
            kind=FindingKind.DERIVED_ORPHAN,
            key=found.keys[0].rsplit("/", 1)[0] + "/",
            detail=", ".join(sorted(found.names)),
            orphans=found.keys,
        )

    def _sum(self, frame: SummedObject) -> Finding | None:
        state = ObjectState(
            bucket=self._bucket,
            key=frame.key,
            etag=frame.etag,
            size=frame.size,
            last_modified=frame.last_modified,
            version_id=frame.version_id,
        )
        crc32, sha256 = 0, hashlib.sha256()
        try:
            for chunk in self._store.stream(state):
                crc32 = zlib.crc32(chunk, crc32)
                sha256.update(chunk)
        except (ObjectGoneError, ObjectChangedError):
            return None
        if (crc32, sha256.hexdigest()) == (frame.crc32, frame.sha256):
            return None
        detail = f"SHA-256 {sha256.hexdigest()}, was {frame.sha256} when it was indexed"
        return Finding(kind=FindingKind.CHECKSUM, key=frame.key, detail=detail)

    def _is_there(self, key: str) -> bool:
        try:
            self._store.head(self._derived, key)
        except ObjectGoneError:
            return False
        return True

    def _owner_of(self, digest: str) -> object | None:
        with read(self._sessions) as session:
            return find_owner(session, digest)
