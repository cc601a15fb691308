"""The state of the archive as Prometheus's gauges, read from the index when it is asked for."""

import logging
import time
from collections.abc import Iterator
from threading import Lock

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session, sessionmaker

from shared.database import DATABASE_TROUBLE, limited, make_session_factory, read, reason_of
from shared.index.state import IndexState, index_state

__all__ = ["IndexCollector"]

_log = logging.getLogger("fitsvault.metrics")
_LONGEST = 5.0
_FRESH = 5.0
"""Seconds that a question may take, and that an answer serves all who ask."""


class IndexCollector(Collector):
    """Asks the index; where it is away, says that alone."""

    def __init__(self, sessions: sessionmaker[Session], bucket: str) -> None:
        self._sessions = make_session_factory(limited(sessions.kw["bind"], _LONGEST))
        self._bucket = bucket
        self._lock = Lock()
        self._asked = -_FRESH
        self._state: IndexState | None = None

    def describe(self) -> Iterator[Metric]:
        """Name what there is without asking the index."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Return the gauges."""
        state = self._fresh()
        yield _gauge("index_up", "Whether the index answers.", float(state is not None))
        if state is None:
            return
        yield _gauge("frames", "Frames in the index.", state.frames)
        failures = GaugeMetricFamily(
            "fitsvault_failures", "Objects that could not be indexed, by kind of failure.", labels=["kind"]
        )
        for kind, count in sorted(state.failures.items()):
            failures.add_metric([kind], count)
        yield failures
        yield _gauge("unsettled_objects", "Objects that are to be tried again.", state.unsettled)
        yield _gauge("oldest_unsettled_seconds", "Age of the oldest of those.", state.oldest_unsettled or 0.0)
        messages = GaugeMetricFamily(
            "fitsvault_notifications", "Notifications that are not delivered.", labels=["state"]
        )
        messages.add_metric(["waiting"], state.messages_waiting)
        messages.add_metric(["given-up"], state.messages_given_up)
        yield messages
        yield _gauge("oldest_notification_seconds", "Age of the oldest that waits.", state.oldest_message or 0.0)
        missing = state.missing.frames if state.missing is not None else 0
        yield _gauge("withheld_frames", "Frames without an object that sweeps keep, as they are too many.", missing)
        if state.swept is not None:
            yield _gauge("last_sweep_seconds", "Time since a sweep of the whole bucket began.", state.swept)

    def _fresh(self) -> IndexState | None:
        with self._lock:
            if time.monotonic() - self._asked >= _FRESH:
                self._state = self._ask()
                self._asked = time.monotonic()
            return self._state

    def _ask(self) -> IndexState | None:
        try:
            with read(self._sessions) as session:
                return index_state(session, self._bucket)
        except DATABASE_TROUBLE as error:
            _log.warning("no figures of the index", extra={"reason": reason_of(error)})
            return None


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(f"fitsvault_{name}", help_, value)
