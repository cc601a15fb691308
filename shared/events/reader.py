"""The door to the dialects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import EventError, UnwantedEventError
from shared.events.dialect import Dialect, Envelope
from shared.events.envelopes import QueueRecord, RecordList, TopicMessage, TopicRecord
from shared.events.eventbridge import EventBridgeEvent, LocalStackBridgeEvent
from shared.events.fields import json_of, shown, within
from shared.events.model import EventReading
from shared.events.s3 import AwsRecord, CephRecord, MinioRecord, S3TestEvent
from shared.events.seaweed import SeaweedFilerEvent

__all__ = ["QueueMessage", "queue_messages", "read_event"]

_ENVELOPES: tuple[type[Envelope], ...] = (RecordList, QueueRecord, TopicRecord, TopicMessage)
_DIALECTS: tuple[type[Dialect], ...] = (
    AwsRecord,
    MinioRecord,
    CephRecord,
    LocalStackBridgeEvent,
    EventBridgeEvent,
    SeaweedFilerEvent,
    S3TestEvent,
)
_MOST_ENVELOPES = 6
_MOST_REASONS = 20


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message of an SQS batch: what to name if it fails, its text, and how often it was taken, with this time."""

    message_id: str
    body: str
    receive_count: int = 1

    def read(self) -> EventReading:
        """Return the objects that the message tells of; EventError if nothing in it is understood."""
        return read_event(json_of(self.body, f"queue message {shown(self.message_id)}"))


def read_event(event: Any) -> EventReading:
    """Return the objects that an event tells of, and what of it was refused; of kinds that are none of ours no more.

    Raises
    ------
    EventError
        No dialect knows the event, or the one that does understands nothing of it.
    """
    reading = _read(event, 0)
    if reading.refused and not reading.events:
        raise EventError("; ".join(reading.refused))
    return reading


def queue_messages(event: Any) -> tuple[QueueMessage, ...] | None:
    """Return the messages if the event is a batch that Lambda took from an SQS queue, else None."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records:
        return None
    if not all(isinstance(record, Mapping) and QueueRecord.knows(record) for record in records):
        return None
    return tuple(_message(record) for record in records)


def _read(event: Any, depth: int) -> EventReading:
    try:
        return _understood(event, depth)
    except UnwantedEventError as error:
        return EventReading(unwanted=(str(error),))
    except EventError as error:
        return EventReading(refused=(str(error),))


def _understood(event: Any, depth: int) -> EventReading:
    if not isinstance(event, Mapping):
        raise EventError(f"an event is a JSON object, this is {shown(event)}")
    if depth > _MOST_ENVELOPES:
        raise EventError(f"an event in more than {_MOST_ENVELOPES} envelopes")
    for envelope in _ENVELOPES:
        if envelope.knows(event):
            return _joined(_read(inner, depth + 1) for inner in envelope.unwrap(event))
    for dialect in _DIALECTS:
        if dialect.knows(event):
            return EventReading(dialect.read(event))
    fields = ", ".join(shown(field) for field in list(event)[:10])
    raise EventError(f"an event that no dialect knows, with the fields {fields or '(none)'}")


def _joined(readings: Iterable[EventReading]) -> EventReading:
    every = tuple(readings)
    return EventReading(
        events=tuple(event for reading in every for event in reading.events),
        refused=_some([reason for reading in every for reason in reading.refused]),
        unwanted=_some([reason for reading in every for reason in reading.unwanted]),
    )


def _some(reasons: list[str]) -> tuple[str, ...]:
    if len(reasons) > _MOST_REASONS:
        reasons[_MOST_REASONS:] = [f"and {len(reasons) - _MOST_REASONS} more"]
    return tuple(reasons)


def _message(record: Mapping[str, Any]) -> QueueMessage:
    message_id, body = record.get("messageId"), record.get("body")
    count = within(record, "attributes", "ApproximateReceiveCount")
    return QueueMessage(
        message_id=message_id if isinstance(message_id, str) else "",
        body=body if isinstance(body, str) else "",
        receive_count=int(count) if isinstance(count, str) and count.isdecimal() and len(count) < 10 else 1,
    )
