"""Metrics of the ingest host: what came in, what became of it, how long it took, how old the oldest event is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy.orm import Session, sessionmaker

from localstack.metrics import SECONDS, make_registry, rendered
from shared.ingest.service import Ingester, Outcome
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["IngestMetrics", "MeteredIngester"]

_DELAYS = (*SECONDS, 300.0, 1800.0, 7200.0)


class IngestMetrics:
    """What one process of ingest counts. Safe to share between threads."""

    def __init__(self, sessions: sessionmaker[Session], bucket: str) -> None:
        self.registry: CollectorRegistry = make_registry(sessions, bucket)
        self._lock = Lock()
        self._held: dict[int, float] = {}
        self._next = 0
        self._objects = Counter(
            "fitsvault_objects", "Objects settled after an event, by outcome.", ["outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "fitsvault_settle_seconds",
            "Time to settle one object, by outcome.",
            ["outcome"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._events = Counter(
            "fitsvault_events", "Events that were taken, by what became of them.", ["result"], registry=self.registry
        )
        self._delays = Histogram(
            "fitsvault_event_delay_seconds",
            "Time from when an event came into being, or to us, until it was done with.",
            buckets=_DELAYS,
            registry=self.registry,
        )
        oldest = Gauge(
            "fitsvault_oldest_event_seconds", "Age of the oldest event that is held here.", registry=self.registry
        )
        oldest.set_function(self._oldest)
        held = Gauge("fitsvault_events_held", "Events that are held here.", registry=self.registry)
        held.set_function(lambda: len(self._held))
        for outcome in Outcome:
            self._objects.labels(outcome.value)
        for result in ("settled", "failed", "refused", "dead"):
            self._events.labels(result)

    @contextmanager
    def event(self, since: float | None = None) -> Iterator[None]:
        """Hold an event for the length of the block.

        Parameters
        ----------
        since
            When it came into being (Unix time); by default just now.
        """
        begun = time.time() if since is None else since
        with self._lock:
            number = self._next = self._next + 1
            self._held[number] = begun
        try:
            yield
        finally:
            with self._lock:
                del self._held[number]
            self._delays.observe(max(0.0, time.time() - begun))

    def count_event(self, result: str) -> None:
        """Count an event as ``settled``, ``failed`` (it comes again), ``refused`` or ``dead`` (it does not)."""
        self._events.labels(result).inc()

    def count_object(self, outcome: str, seconds: float) -> None:
        """Count an object by what became of it."""
        self._objects.labels(outcome).inc()
        self._seconds.labels(outcome).observe(seconds)

    def rendered(self) -> tuple[bytes, str]:
        """Return all metrics as text, and its type."""
        return rendered(self.registry)

    def _oldest(self) -> float:
        with self._lock:
            return max(0.0, time.time() - min(self._held.values())) if self._held else 0.0


class MeteredIngester(Ingester):
    """An ingester that counts and times what it settles."""

    def __init__(
        self, settings: Settings, store: Store, sessions: sessionmaker[Session], metrics: IngestMetrics
    ) -> None:
        super().__init__(settings, store, sessions)
        self._metrics = metrics

    def settle(self, bucket: str, key: str, *, force: bool = False) -> Outcome:
        """Settle an object as any ingester does; trouble that may pass is counted as ``deferred``."""
        begun, outcome = time.perf_counter(), Outcome.DEFERRED
        try:
            outcome = super().settle(bucket, key, force=force)
        finally:
            self._metrics.count_object(outcome.value, time.perf_counter() - begun)
        return outcome
