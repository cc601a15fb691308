"""The dialects: a small class for each that knows its own events and reads them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol
from urllib.parse import unquote_plus

from shared.errors import EventError
from shared.events.model import ObjectEvent, ObjectEventKind

__all__ = ["Dialect", "S3Event", "S3TestEvent", "SeaweedFilerEvent"]


class Dialect(Protocol):
    """One way in which a store tells of its objects."""

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the event is one of this dialect."""
        ...

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> tuple[ObjectEvent, ...]:
        """Return the objects that the event tells of, in its order; EventError if it is broken."""
        ...


class S3Event:
    """S3's own notification: ``Records`` of ``eventSource`` ``aws:s3``, keys form-encoded.

    Source: Amazon S3 user guide, "Event message structure" (versions 2.1 to 2.4).
    """

    _KINDS: ClassVar[Mapping[str, ObjectEventKind]] = {
        "ObjectCreated": ObjectEventKind.CREATED,
        "ObjectRestore": ObjectEventKind.CREATED,
        "ObjectRemoved": ObjectEventKind.REMOVED,
        "LifecycleExpiration": ObjectEventKind.REMOVED,
    }

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether every record is S3's."""
        records = event.get("Records")
        return (
            isinstance(records, list)
            and bool(records)
            and all(isinstance(record, dict) and record.get("eventSource") == "aws:s3" for record in records)
        )

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> tuple[ObjectEvent, ...]:
        """Return one object for each record."""
        return tuple(cls._record(record) for record in event["Records"])

    @classmethod
    def _record(cls, record: Mapping[str, Any]) -> ObjectEvent:
        name = str(record.get("eventName", "")).removeprefix("s3:")
        kind = cls._KINDS.get(name.split(":", 1)[0])
        if kind is None:
            raise EventError(f"S3 event of an unknown kind: eventName {name[:80]!r}")
        try:
            bucket, entry = record["s3"]["bucket"]["name"], record["s3"]["object"]
            key = entry["key"]
        except (KeyError, TypeError) as error:
            raise EventError(f"S3 event {name} without s3.bucket.name or s3.object.key") from error
        if not isinstance(bucket, str) or not isinstance(key, str) or not key:
            raise EventError(f"S3 event {name} whose bucket or key is not a text")
        return ObjectEvent(
            bucket=bucket,
            key=unquote_plus(key),
            kind=kind,
            raw_key=key if unquote_plus(key) != key else None,
            version_id=entry.get("versionId"),
            sequencer=entry.get("sequencer"),
        )


class S3TestEvent:
    """What S3 sends once when a notification is set up. It tells of no object."""

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the event is S3's test."""
        return event.get("Event") == "s3:TestEvent"

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> tuple[ObjectEvent, ...]:  # noqa: ARG003 - nothing in it matters
        """Return nothing."""
        return ()


class SeaweedFilerEvent:
    """What SeaweedFS's filer posts to a webhook: paths of its own file system, keys not encoded.

    Buckets are folders of ``/buckets``. Folders, and the parts of unfinished uploads below ``.uploads``, are
    no objects. Seen on SeaweedFS 4.48.
    """

    _ROOT = "/buckets/"
    _KINDS = ("create", "update", "delete", "rename")

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the event is the filer's."""
        return isinstance(event.get("event_type"), str) and isinstance(event.get("message"), dict) and "key" in event

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> tuple[ObjectEvent, ...]:
        """Return the object that came or went; of a rename both."""
        if event["event_type"] not in cls._KINDS:
            raise EventError(f"SeaweedFS event of an unknown kind: event_type {event['event_type'][:80]!r}")
        path, message = event["key"], event["message"]
        if not isinstance(path, str):
            raise EventError("SeaweedFS event whose key is not a text")
        old, new = message.get("old_entry"), message.get("new_entry")
        new_path = cls._new_path(path, message, new)
        found = []
        if old and (not new or new_path != path):
            found.append(cls._object(path, old, ObjectEventKind.REMOVED))
        if new:
            found.append(cls._object(new_path, new, ObjectEventKind.CREATED))
        return tuple(event for event in found if event is not None)

    @staticmethod
    def _new_path(path: str, message: Mapping[str, Any], new: Any) -> str:
        parent = message.get("new_parent_path")
        if not new or not isinstance(parent, str) or not isinstance(new.get("name"), str):
            return path
        return f"{parent.rstrip('/')}/{new['name']}"

    @classmethod
    def _object(cls, path: str, entry: Any, kind: ObjectEventKind) -> ObjectEvent | None:
        if not path.startswith(cls._ROOT) or not isinstance(entry, dict) or entry.get("is_directory"):
            return None
        bucket, _, key = path.removeprefix(cls._ROOT).partition("/")
        if not key or key.startswith(".uploads/"):
            return None
        return ObjectEvent(bucket=bucket, key=key, kind=kind)
