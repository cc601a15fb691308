"""The migrate function: called by each deployment, or by hand, it brings the database's schema to this version.

Others go on meanwhile (`shared.migrations`). What is not done before the function's deadline, the next call goes on
with.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import Engine

from functions.migrate.custom_resource import is_of_stack, is_removal, tell_stack
from shared.database import make_engine, reason_of
from shared.logs import configure_logs
from shared.migrations import upgrade
from shared.schema import REVISIONS, current_revision
from shared.settings import settings

__all__ = ["Context", "handle", "handler"]

_log = logging.getLogger("fitsvault.migrate")
_MARGIN_SECONDS = 30.0
_SHARE = 0.25
"""The part of a short call that is left to tell the stack that it was too short."""
_LATE = "not done in time: deploy again, and it goes on; or call the function by hand until it says what the schema is"


class Context(Protocol):
    """What Lambda tells of the call."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        ...


def handler(event: dict[str, Any], context: Context) -> dict[str, str]:
    """Bring the schema to this version and return it as ``schema``; a stack that called for it is told as well."""
    configure_logs(settings().log_level)
    engine = make_engine(settings().effective_database_url, name="fitsvault-migrate")
    try:
        return handle(event, context, engine)
    finally:
        engine.dispose()


def handle(event: dict[str, Any], context: Context, engine: Engine) -> dict[str, str]:
    """Do the work of ``handler`` with a given database.

    The schema of a newer version is left alone: a stack that goes back to this one has to come to its end.
    """
    if not is_of_stack(event):
        return _migrated(engine)
    if is_removal(event):
        tell_stack(event, {})
        return {}
    with _told_in_time(event, context) as is_told:
        try:
            done, failure = _migrated(engine), None
        except Exception as error:  # noqa: BLE001 - whatever it is, a stack that hears nothing waits on
            _log.exception("not migrated")
            done, failure = {}, reason_of(error)
        if not is_told.is_set():
            tell_stack(event, done, failure=failure)
    return done


def _migrated(engine: Engine) -> dict[str, str]:
    found = current_revision(engine)
    if found is None or found in REVISIONS:
        upgrade(engine)
        _log.info("migrated", extra={"before": found, "schema": REVISIONS[-1]})
        return {"schema": REVISIONS[-1]}
    _log.warning("the schema is newer than this version", extra={"schema": found})
    return {"schema": found}


@contextmanager
def _told_in_time(event: dict[str, Any], context: Context) -> Iterator[threading.Event]:
    """Tell the stack that it was too late before Lambda ends the call; yields what is set then."""
    is_told = threading.Event()

    def tell() -> None:
        is_told.set()
        _log.error(_LATE)
        tell_stack(event, {}, failure=_LATE)

    remaining = context.get_remaining_time_in_millis() / 1000
    timer = threading.Timer(remaining - min(_MARGIN_SECONDS, _SHARE * remaining), tell)
    timer.daemon = True
    timer.start()
    try:
        yield is_told
    finally:
        timer.cancel()
