"""The ingest function: takes S3's events, directly or from a queue, and what the local host delivers."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from shared.database import DATABASE_TROUBLE, reason_of
from shared.errors import EventError
from shared.events.model import EventReading, ObjectEvent
from shared.events.reader import QueueMessage, queue_messages, read_event
from shared.ingest.factory import make_ingester
from shared.ingest.patience import TRANSIENT, note_trouble, settle_or_defer
from shared.ingest.service import Ingester, Outcome
from shared.logs import configure_logs, log_fields, traced
from shared.notify.dispatch import Dispatcher
from shared.notify.factory import make_dispatcher
from shared.schema import function_sessions
from shared.settings import settings

__all__ = ["handle", "handler"]

_log = logging.getLogger("fitsvault.ingest")
_NOTIFY_SECONDS = 5.0

_Settle = Callable[[str, str], Outcome]


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Make the index agree with every object that the event tells of.

    Of an SQS batch the messages that failed are answered as ``batchItemFailures``; any other event that fails
    raises, so that whoever delivered it tries again. One object that fails, or a record that is refused, does not
    keep the others from being settled. What fails is noted as a failure of kind ``unavailable`` until it succeeds.
    Notifications are sent thereafter; what is not sent in time, a later call sends.
    """
    ingester, dispatcher = _parts()
    try:
        return handle(event, ingester)
    finally:
        dispatcher.dispatch_for(_NOTIFY_SECONDS)


def handle(event: dict[str, Any], ingester: Ingester, *, defers: bool = False) -> dict[str, Any]:
    """Do the work of ``handler`` with a given ingester.

    With ``defers`` an object that cannot be settled just now is noted to be tried again by us, and no failure of the
    event; nor is a record of a kind that is none of ours, which is answered as ``refused``. That is for those who
    deliver an event again and again, and others behind it not at all.
    """
    messages = queue_messages(event)
    if messages is not None:
        failed = [message.message_id for message in messages if not _is_settled(message, ingester)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
    try:
        reading = read_event(event)
    except EventError as error:
        _log.error("event refused", extra={"reason": str(error)})
        raise
    if defers:
        _log_refused(reading.unwanted)
        outcomes = _settle_all(replace(reading, unwanted=()), partial(settle_or_defer, ingester))
        return {"outcomes": outcomes} | ({"refused": list(reading.unwanted)} if reading.unwanted else {})
    return {"outcomes": _settle_all(reading, partial(_settle_or_note, ingester, 1))}


def _is_settled(message: QueueMessage, ingester: Ingester) -> bool:
    with log_fields(message_id=message.message_id):
        try:
            _settle_all(message.read(), partial(_settle_or_note, ingester, message.receive_count))
        except TRANSIENT as error:
            _log.error("message failed", extra={"reason": reason_of(error)})
            return False
        return True


def _settle_all(reading: EventReading, settle: _Settle) -> list[str]:
    """Settle every object, and raise the first trouble thereafter."""
    outcomes, troubles = [], list[Exception]()
    for hint in reading.events:
        try:
            outcomes.append(_settle(hint, settle).value)
        except TRANSIENT as error:
            troubles.append(error)
    refused = reading.refused + reading.unwanted
    _log_refused(refused)
    if troubles:
        raise troubles[0]
    if refused:
        raise EventError("; ".join(refused))
    return outcomes


def _log_refused(reasons: Sequence[str]) -> None:
    for reason in reasons:
        _log.error("record refused", extra={"reason": reason})


def _settle(hint: ObjectEvent, settle: _Settle) -> Outcome:
    """Settle the object; where there is none, also the one whose key is what the event says, letter by letter."""
    with traced(hint.trace):
        _log.info("event", extra={"bucket": hint.bucket, "key": hint.key, "kind": hint.kind})
        outcome = settle(hint.bucket, hint.key)
        if outcome is Outcome.REMOVED and hint.raw_key is not None:
            return settle(hint.bucket, hint.raw_key)
        return outcome


def _settle_or_note(ingester: Ingester, attempts: int, bucket: str, key: str) -> Outcome:
    try:
        return ingester.settle(bucket, key)
    except TRANSIENT as error:
        _note(ingester, key, error, attempts)
        raise


def _note(ingester: Ingester, key: str, error: Exception, attempts: int) -> None:
    try:
        note_trouble(ingester, key, error, attempts)
    except DATABASE_TROUBLE as away:
        _log.error("not noted", extra={"key": key, "reason": reason_of(away)})


@lru_cache(maxsize=1)
def _parts() -> tuple[Ingester, Dispatcher]:
    configure_logs(settings().log_level)
    sessions = function_sessions(settings(), "fitsvault-ingest")
    return make_ingester(settings(), sessions), make_dispatcher(settings(), sessions)
