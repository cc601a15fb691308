"""Check: objects, rows, derived objects and checksums against each other, and what repairs each difference."""

from collections.abc import Iterator

from sqlalchemy.orm import Session, sessionmaker

from shared.checksums import Checksums
from shared.database import read
from shared.errors import ObjectChangedError, ObjectGoneError
from shared.index.holdings import SummedObject, walk_sums
from shared.index.missing import Missing, known_frames
from shared.index.quantiles import count_frames
from shared.ingest.discrepancies import Discrepancy, DiscrepancyKind
from shared.ingest.finder import PATIENCE, Finder
from shared.ingest.mender import Mender
from shared.ingest.service import Ingester, Outcome
from shared.parallel import in_parallel
from shared.settings import Settings
from shared.store.client import Store
from shared.store.model import ObjectState

__all__ = ["Checker"]

_AT_ONCE = 4


class Checker:
    """Finds differences in constant memory, and repairs them one by one; by the same means as a sweep.

    All methods raise StoreError and database errors: then nothing is said about the rest.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        sessions: sessionmaker[Session],
        ingester: Ingester,
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._bucket = settings.bucket
        self._store = store
        self._sessions = sessions
        self._finder = Finder(settings, store, sessions, patience=patience)
        self._mender = Mender(settings, store, sessions, ingester)

    def objects(self, prefix: str = "") -> Iterator[Discrepancy]:
        """Yield where the bucket's listing and the index differ."""
        for batch in self._finder.objects(prefix):
            yield from batch.found

    def derived(self, prefix: str = "") -> Iterator[Discrepancy]:
        """Yield frames without derived objects and, for the whole archive only, derived objects without a frame."""
        for batch in self._finder.derived_of(prefix) if prefix else self._finder.derived():
            yield from batch.found

    def checksums(self, prefix: str = "") -> Iterator[Discrepancy | None]:
        """Read all indexed objects again, and yield for each None or how its bytes differ from what was indexed."""
        frames = walk_sums(self._sessions, self._bucket, prefix=prefix)
        for _, finding in in_parallel(self._sum, frames, _AT_ONCE):
            yield finding

    def missing(self, frames: int, prefix: str = "") -> Missing:
        """Return that so many frames are missing, with the number of those that the index knows."""
        with read(self._sessions) as session:
            return Missing(
                frames, known_frames(session, self._bucket, prefix, count_frames(session, self._bucket, prefix=prefix))
            )

    def repair(self, found: Discrepancy) -> bool:
        """Repair a difference; False where only a person can, or where it cannot be done now."""
        if found.kind is DiscrepancyKind.CHECKSUM:
            return False
        return self._mender.mend(found) is not Outcome.DEFERRED

    def _sum(self, frame: SummedObject) -> Discrepancy | None:
        state = ObjectState(
            bucket=self._bucket,
            key=frame.key,
            etag=frame.etag,
            size=frame.size,
            last_modified=frame.last_modified,
            version_id=frame.version_id,
        )
        try:
            sums = Checksums.of(self._store.stream(state))
        except (ObjectGoneError, ObjectChangedError):
            return None
        if (sums.crc32, sums.sha256) == (frame.crc32, frame.sha256):
            return None
        detail = f"SHA-256 {sums.sha256}, was {frame.sha256} when it was indexed"
        return Discrepancy(kind=DiscrepancyKind.CHECKSUM, key=frame.key, detail=detail)
