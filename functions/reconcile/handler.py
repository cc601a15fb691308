"""The reconcile function: run on a schedule, it settles what no event told, and sends notifications that wait.

What a sweep does not get done before the function's deadline, the next call goes on with. Calls at the same time share
one sweep.
"""

import datetime as dt
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory
from shared.errors import EventError
from shared.ingest.reconcile import Reconciler
from shared.ingest.service import Ingester
from shared.logs import configure_logs
from shared.notify.dispatch import Dispatcher
from shared.notify.factory import make_dispatcher
from shared.schema import function_sessions
from shared.settings import Settings, settings
from shared.store.client import Store

__all__ = ["Context", "handle", "handler", "make_reconciler"]

_log = logging.getLogger("fitsvault.reconcile")
_NOTIFY_SECONDS = 60.0
_MARGIN_SECONDS = 90.0
_SHARE = 0.25
"""The part of a short call that sweeping leaves to the object under work, and to notifications."""


class Context(Protocol):
    """What Lambda tells of the call."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        ...


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Settle every discrepancy of the archive, or of the keys that begin with ``event["prefix"]``.

    Returns ``counts`` of the sweep by now, and ``complete``: whether it came to its end. Notifications that wait are
    sent before and after.
    """
    notify = _dispatcher().dispatch_for
    notify(min(_NOTIFY_SECONDS, _SHARE * _remaining(context)))
    lately = dt.timedelta(seconds=settings().reconcile_seconds / 2)
    answer = handle(event, context, _reconciler(), lately)
    notify(min(_NOTIFY_SECONDS, _remaining(context) / 2))
    return answer


def handle(
    event: dict[str, Any], context: Context, reconciler: Reconciler, lately: dt.timedelta = dt.timedelta(0)
) -> dict[str, Any]:
    """Do the work of ``handler`` with a given reconciler; a sweep that has begun ``lately`` is not made again."""
    prefix = event.get("prefix", "")
    if not isinstance(prefix, str):
        raise EventError("prefix must be text")
    stop = _deadline(context)
    reconciler.retry(stop=stop)
    swept = reconciler.sweep(prefix, since=reconciler.now() - lately, stop=stop, waits=False)
    answer = {"counts": dict(swept.counts), "complete": swept.is_complete}
    _log.info("reconciled", extra=answer)
    return answer


def make_reconciler(settings: Settings, sessions: sessionmaker[Session] | None = None, **options: Any) -> Reconciler:
    """Return a reconciler with a store of its own, and a database of its own unless it is given one.

    ``options`` are those of `Reconciler`.
    """
    store = Store(settings)
    sessions = sessions or make_session_factory(make_engine(settings.effective_database_url, name="fitsvault-sweep"))
    ingester = Ingester(settings, store, sessions)
    return Reconciler(settings, store, sessions, ingester, **options)


def _remaining(context: Context) -> float:
    """Return how many seconds the call may still take."""
    return context.get_remaining_time_in_millis() / 1000


def _deadline(context: Context) -> Callable[[], bool]:
    """Return what tells that it is time to end: early enough for the object that is under work."""
    margin = min(_MARGIN_SECONDS, _SHARE * _remaining(context))
    return lambda: _remaining(context) < margin


@lru_cache(maxsize=1)
def _sessions() -> sessionmaker[Session]:
    configure_logs(settings().log_level)
    return function_sessions(settings(), "fitsvault-sweep")


@lru_cache(maxsize=1)
def _reconciler() -> Reconciler:
    return make_reconciler(settings(), _sessions())


@lru_cache(maxsize=1)
def _dispatcher() -> Dispatcher:
    return make_dispatcher(settings(), _sessions())
