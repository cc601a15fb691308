"""Thread of the ingest host that sends notifications: at once when something was settled here, else every second."""

import logging
from functools import cached_property

from sqlalchemy.orm import Session, sessionmaker

from localstack.repeated import Repeated
from shared.notify.dispatch import Dispatcher
from shared.notify.factory import make_dispatcher
from shared.settings import Settings

__all__ = ["DispatchThread"]

_POLL_SECONDS = 1.0


class DispatchThread(Repeated):
    """Sends what is due; where nobody is to be told there is no thread."""

    def __init__(self, settings: Settings, sessions: sessionmaker[Session]) -> None:
        super().__init__("notifications", logging.getLogger("fitsvault.notify"), _POLL_SECONDS)
        self._settings = settings
        self._sessions = sessions

    def start(self) -> None:
        """Begin."""
        if self._settings.notify_targets:
            super().start()

    def work(self) -> None:
        """Send what is due."""
        self._dispatcher.dispatch(stop=self.is_stopping)

    @cached_property
    def _dispatcher(self) -> Dispatcher:
        return make_dispatcher(self._settings, self._sessions)
