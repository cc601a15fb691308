"""The bundle function: builds what was ordered, called for one bundle or by the clock.

What is not done before the function's deadline, the next call goes on with.
"""

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from shared.bundle.calling import BundleCaller
from shared.bundle.factory import make_bundle_worker
from shared.bundle.worker import BundleWorker
from shared.errors import EventError
from shared.logs import configure_logs
from shared.schema import function_sessions
from shared.settings import settings

__all__ = ["Context", "handle", "handler"]

_log = logging.getLogger("fitsvault.bundle")
_MARGIN_SECONDS = 60.0
_SHARE = 0.25
"""The part of a short call that is left to the parts under way."""


class Context(Protocol):
    """What Lambda tells of the call."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        ...


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Build the bundle ``event["bundle"]`` first, then all that are due, and remove those whose time is over.

    Returns how many were ``built`` or given up, and ``removed``.
    """
    return handle(event, context, _worker(), _caller())


def handle(event: dict[str, Any], context: Context, worker: BundleWorker, caller: BundleCaller) -> dict[str, Any]:
    """Do the work of ``handler`` with given parts; what could not be done in time is called for once more."""
    wanted = event.get("bundle")
    if wanted is not None and not isinstance(wanted, str):
        raise EventError("bundle must be the id of one")
    stop = _deadline(context)
    built = int(wanted is not None and worker.build_next(stop=stop, job_id=wanted))
    while not stop() and worker.build_next(stop=stop):
        built += 1
    answer = {"built": built, "removed": 0 if stop() else worker.tidy()}
    if stop() and (waiting := worker.next_due()) is not None:
        caller.call(waiting)
    _log.info("bundles", extra=answer)
    return answer


def _deadline(context: Context) -> Callable[[], bool]:
    """Return what tells that it is time to end: early enough for the parts that are under way."""
    margin = min(_MARGIN_SECONDS, _SHARE * context.get_remaining_time_in_millis() / 1000)
    return lambda: context.get_remaining_time_in_millis() / 1000 < margin


@lru_cache(maxsize=1)
def _worker() -> BundleWorker:
    configure_logs(settings().log_level)
    return make_bundle_worker(settings(), function_sessions(settings(), "fitsvault-bundle"))


@lru_cache(maxsize=1)
def _caller() -> BundleCaller:
    return BundleCaller(settings())
