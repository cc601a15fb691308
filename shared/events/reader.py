"""The door to the dialects."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import EventError
from shared.events.dialects import Dialect, S3Event, S3TestEvent, SeaweedFilerEvent
from shared.events.model import EventReading

__all__ = ["QueueMessage", "queue_messages", "read_event"]

_DIALECTS: tuple[type[Dialect], ...] = (S3Event, SeaweedFilerEvent, S3TestEvent)


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message of an SQS batch: what to name if it fails, its text, and how often it was taken, with this time."""

    message_id: str
    body: str
    receive_count: int = 1

    def read(self) -> EventReading:
        """Return the objects that the message tells of; EventError if nothing in it is understood."""
        try:
            event = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise EventError(f"queue message {self.message_id} is not JSON: {error}") from error
        return read_event(event)


def read_event(event: Any) -> EventReading:
    """Return the objects that an event tells of, and what of it was refused.

    Raises
    ------
    EventError
        No dialect knows the event, or the one that does understands nothing of it.
    """
    if not isinstance(event, Mapping):
        raise EventError(f"an event is a JSON object, this is {type(event).__name__}")
    for dialect in _DIALECTS:
        if dialect.knows(event):
            return EventReading(dialect.read(event))
    raise EventError(f"an event that no dialect knows, with the keys {sorted(map(str, event))[:10]}")


def queue_messages(event: Any) -> tuple[QueueMessage, ...] | None:
    """Return the messages if the event is a batch that Lambda took from an SQS queue, else None."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records:
        return None
    if not all(isinstance(record, dict) and record.get("eventSource") == "aws:sqs" for record in records):
        return None
    return tuple(_message(record) for record in records)


def _message(record: Mapping[str, Any]) -> QueueMessage:
    attributes = record.get("attributes")
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, Mapping) else None
    return QueueMessage(
        message_id=str(record.get("messageId", "")),
        body=str(record.get("body", "")),
        receive_count=int(count) if isinstance(count, str) and count.isdecimal() and len(count) < 10 else 1,
    )
