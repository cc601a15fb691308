"""Documents that hold events: lists of records, and what SNS and SQS wrap around."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.errors import EventError
from shared.events.fields import json_of, shown, within

__all__ = ["QueueRecord", "RecordList", "TopicMessage", "TopicRecord"]


class RecordList:
    """``Records``: what S3, SNS and SQS hand to a function, and what MinIO and Ceph post to a webhook."""

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the event holds records."""
        return "Records" in event

    @classmethod
    def unwrap(cls, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return the records."""
        records = event["Records"]
        if not isinstance(records, list) or not records:
            raise EventError("an event whose Records are no list, or an empty one")
        return records


class QueueRecord:
    """One message of an SQS queue, as a function gets it."""

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the record came from a queue."""
        return event.get("eventSource") == "aws:sqs"

    @classmethod
    def unwrap(cls, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return the document in the message."""
        return (json_of(event.get("body"), f"the body of queue message {shown(event.get('messageId'))}"),)


class TopicRecord:
    """One message of an SNS topic, as a function gets it."""

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the record came from a topic."""
        return event.get("EventSource") == "aws:sns"

    @classmethod
    def unwrap(cls, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return the document in the message."""
        return (json_of(within(event, "Sns", "Message"), "the message from a topic"),)


class TopicMessage:
    """One message of an SNS topic, as a queue or an HTTP endpoint gets it without raw delivery."""

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the event came from a topic."""
        return "TopicArn" in event and "Message" in event

    @classmethod
    def unwrap(cls, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return the document in the message; EventError if a topic asks to be confirmed."""
        if event.get("Type") != "Notification":
            raise EventError(f"a message from a topic that is no notification: {shown(event.get('Type'))}")
        return (json_of(event["Message"], "the message from a topic"),)
