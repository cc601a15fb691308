"""The reconcile function: run on a schedule, it settles what no event told."""

import logging
from functools import lru_cache
from typing import Any

from shared.database import make_engine, make_session_factory
from shared.ingest.reconcile import Reconciler
from shared.ingest.service import Ingester
from shared.notify.dispatch import Dispatcher
from shared.notify.factory import make_dispatcher
from shared.settings import Settings, settings
from shared.store.client import Store

__all__ = ["handler", "make_reconciler"]

_log = logging.getLogger("fitsvault.reconcile")
_NOTIFY_SECONDS = 60.0


def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """Settle every discrepancy of the bucket, or below ``event["prefix"]``, and return their counts.

    Notifications that wait are sent before and after.
    """
    notify = _dispatcher().dispatch_for
    notify(_NOTIFY_SECONDS)
    prefix = event.get("prefix", "")
    counts = _reconciler().mend(prefix if isinstance(prefix, str) else "")
    _log.info("reconciled", extra={"counts": counts})
    notify(_NOTIFY_SECONDS)
    return counts


def make_reconciler(settings: Settings) -> Reconciler:
    """Return a reconciler with a store and a database of its own."""
    store, sessions = Store(settings), make_session_factory(make_engine(settings.effective_database_url))
    return Reconciler(settings.bucket, store, sessions, Ingester(settings, store, sessions))


@lru_cache(maxsize=1)
def _reconciler() -> Reconciler:
    return make_reconciler(settings())


@lru_cache(maxsize=1)
def _dispatcher() -> Dispatcher:
    return make_dispatcher(settings(), make_session_factory(make_engine(settings().effective_database_url)))
