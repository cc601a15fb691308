"""The ingest function: takes S3's events, directly or from a queue, and what the local host delivers."""

import logging
from functools import lru_cache
from typing import Any

from sqlalchemy.exc import DBAPIError

from shared.errors import EventError, FitsvaultError
from shared.events.model import EventReading, ObjectEvent
from shared.events.reader import QueueMessage, queue_messages, read_event
from shared.ingest.factory import make_ingester
from shared.ingest.service import Ingester, Outcome
from shared.settings import settings

__all__ = ["handle", "handler"]

_log = logging.getLogger("fitsvault.ingest")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Make the index agree with every object that the event tells of.

    Of an SQS batch the messages that failed are answered as ``batchItemFailures``; any other event that fails
    raises, so that whoever delivered it tries again. An event that is refused in part fails too, once the rest of it
    is settled.
    """
    return handle(event, _ingester())


def handle(event: dict[str, Any], ingester: Ingester) -> dict[str, Any]:
    """Do the work of ``handler`` with a given ingester."""
    messages = queue_messages(event)
    if messages is not None:
        failed = [message.message_id for message in messages if not _settled(message, ingester)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
    try:
        reading = read_event(event)
    except EventError as error:
        _log.error("event refused", extra={"reason": str(error)})
        raise
    return {"outcomes": _settle_all(reading, ingester)}


def _settled(message: QueueMessage, ingester: Ingester) -> bool:
    try:
        _settle_all(message.read(), ingester)
    except (FitsvaultError, DBAPIError, OSError) as error:
        _log.error("message failed", extra={"message_id": message.message_id, "reason": str(error)})
        return False
    return True


def _settle_all(reading: EventReading, ingester: Ingester) -> list[str]:
    outcomes = [_settle(hint, ingester).value for hint in reading.events]
    for reason in reading.refused:
        _log.error("record refused", extra={"reason": reason})
    if reading.refused:
        raise EventError("; ".join(reading.refused))
    return outcomes


def _settle(hint: ObjectEvent, ingester: Ingester) -> Outcome:
    """Settle the object; where there is none, also the one whose key is what the event says, letter by letter."""
    outcome = ingester.settle(hint.bucket, hint.key)
    if outcome is Outcome.REMOVED and hint.raw_key is not None:
        return ingester.settle(hint.bucket, hint.raw_key)
    return outcome


@lru_cache(maxsize=1)
def _ingester() -> Ingester:
    return make_ingester(settings())
