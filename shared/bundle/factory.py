"""A builder of bundles from settings alone, as a deployed function makes it."""

from collections.abc import Sequence

from sqlalchemy.orm import Session, sessionmaker

from shared.bundle.worker import BundleWorker
from shared.database import make_engine, make_session_factory
from shared.index.bundle_jobs import BundleJob
from shared.index.bundles import BundleFrame
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["make_bundle_worker"]


def make_bundle_worker(settings: Settings, sessions: sessionmaker[Session] | None = None) -> BundleWorker:
    """Return a worker with a store of its own, and a database of its own unless it is given one."""
    sessions = sessions or make_session_factory(make_engine(settings.effective_database_url, name="fitsvault-bundle"))
    store = Store(settings)

    def unpack(job: BundleJob, frames: Sequence[BundleFrame]) -> Sequence[BundleFrame]:
        from shared.bundle.unpacking import Unpacker  # noqa: PLC0415 - brings astropy, which most bundles do without

        return Unpacker(settings, store, sessions).unpacked(job.id, frames)

    return BundleWorker(settings, store, sessions, unpack)
