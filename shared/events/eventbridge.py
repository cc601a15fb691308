"""S3's events as Amazon EventBridge hands them on."""

from collections.abc import Mapping
from typing import Any, ClassVar

from shared.errors import UnwantedEventError
from shared.events.fields import form_decoded, object_event, shown, within
from shared.events.model import ObjectEvent, ObjectEventKind

__all__ = ["EventBridgeEvent", "LocalStackBridgeEvent"]


class EventBridgeEvent:
    """S3's event on a bus: one object, its key as it is.

    Source: Amazon S3 user guide, "EventBridge event message structure" and "Using EventBridge".
    """

    _KINDS: ClassVar[Mapping[str, ObjectEventKind]] = {
        "Object Created": ObjectEventKind.CREATED,
        "Object Restore Initiated": ObjectEventKind.CREATED,
        "Object Restore Completed": ObjectEventKind.CREATED,
        "Object Restore Expired": ObjectEventKind.CREATED,
        "Object Deleted": ObjectEventKind.REMOVED,
    }

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the event came from S3 by a bus."""
        return event.get("source") == "aws.s3" and "detail-type" in event

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> tuple[ObjectEvent, ...]:
        """Return the one object of the event."""
        name = event["detail-type"]
        kind = cls._KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            raise UnwantedEventError(f"an event that changes no object's bytes, or of an unknown kind: {shown(name)}")
        found = object_event(
            kind,
            within(event, "detail", "bucket", "name"),
            within(event, "detail", "object", "key"),
            cls._key,
            version_id=within(event, "detail", "object", "version-id"),
            sequencer=within(event, "detail", "object", "sequencer"),
            trace=within(event, "detail", "request-id"),
        )
        return (found,)

    @staticmethod
    def _key(spelling: str) -> str:
        return spelling


class LocalStackBridgeEvent(EventBridgeEvent):
    """LocalStack's event on a bus. Against S3's rule its key is encoded; a constant sequencer gives it away.

    Seen on LocalStack 4.7.0.
    """

    _SEQUENCER: ClassVar[str] = "0062E99A88DC407460"

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the event came from LocalStack by a bus."""
        return super().knows(event) and within(event, "detail", "object", "sequencer") == cls._SEQUENCER

    @staticmethod
    def _key(spelling: str) -> str:
        return form_decoded(spelling)
