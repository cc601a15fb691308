"""The ingest function: takes S3's events, directly or from a queue, and what the local host delivers."""

import logging
from functools import lru_cache
from typing import Any

from sqlalchemy.exc import DBAPIError

from shared.errors import EventError, FitsvaultError
from shared.events.model import ObjectEvent
from shared.events.reader import QueueMessage, queue_messages, read_event
from shared.ingest.factory import make_ingester
from shared.ingest.service import Ingester
from shared.settings import settings

__all__ = ["handle", "handler"]

_log = logging.getLogger("fitsvault.ingest")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Make the index agree with every object that the event tells of.

    Of an SQS batch the messages that failed are answered as ``batchItemFailures``; any other event that fails
    raises, so that whoever delivered it tries again.
    """
    return handle(event, _ingester())


def handle(event: dict[str, Any], ingester: Ingester) -> dict[str, Any]:
    """Do the work of ``handler`` with a given ingester."""
    messages = queue_messages(event)
    if messages is not None:
        failed = [message.message_id for message in messages if not _settled(message, ingester)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
    try:
        hints = read_event(event)
    except EventError as error:
        _log.error("event refused", extra={"reason": str(error)})
        raise
    return {"outcomes": [_settle(hint, ingester) for hint in hints]}


def _settled(message: QueueMessage, ingester: Ingester) -> bool:
    try:
        for hint in message.events():
            _settle(hint, ingester)
    except (FitsvaultError, DBAPIError, OSError) as error:
        _log.error("message failed", extra={"message_id": message.message_id, "reason": str(error)})
        return False
    return True


def _settle(hint: ObjectEvent, ingester: Ingester) -> str:
    return ingester.settle(hint.bucket, hint.key).value


@lru_cache(maxsize=1)
def _ingester() -> Ingester:
    return make_ingester(settings())
