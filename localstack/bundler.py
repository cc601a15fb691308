"""Thread of the ingest host that builds bundles, as the bundle function does on AWS."""

import logging
import time
from functools import cached_property

from sqlalchemy.orm import Session, sessionmaker

from localstack.repeated import Repeated
from shared.bundle.factory import make_bundle_worker
from shared.bundle.worker import BundleWorker
from shared.settings import Settings

__all__ = ["BundleThread"]

_POLL_SECONDS = 1.0
_TIDY_SECONDS = 60.0


class BundleThread(Repeated):
    """Builds one bundle after the other; when it ends, whoever comes next goes on with the bundle."""

    def __init__(self, settings: Settings, sessions: sessionmaker[Session]) -> None:
        super().__init__("bundles", logging.getLogger("fitsvault.bundle"), _POLL_SECONDS)
        self._settings = settings
        self._sessions = sessions
        self._tidied = 0.0

    def work(self) -> None:
        """Build all that are due, and remove those whose time is over, once a minute."""
        if time.monotonic() - self._tidied > _TIDY_SECONDS:
            self._worker.tidy()
            self._tidied = time.monotonic()
        while not self.is_stopping() and self._worker.build_next(stop=self.is_stopping):
            pass

    @cached_property
    def _worker(self) -> BundleWorker:
        return make_bundle_worker(self._settings, self._sessions)
