"""Records in the form that S3 gave to notifications, as AWS, LocalStack, MinIO and Ceph send them.

The kind is for logs. MinIO calls it ``ObjectRemoved:DeleteMarkerCreated`` when a delete marker is taken away, after
which the object is there again, and ``ObjectCreated:PutTagging`` when an object got tags.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from shared.errors import EventError, UnwantedEventError
from shared.events.fields import form_decoded, object_event, perhaps_form_decoded, shown, within
from shared.events.model import ObjectEvent, ObjectEventKind

__all__ = ["AwsRecord", "CephRecord", "MinioRecord", "S3TestEvent", "kind_of"]


def kind_of(name: object, kinds: Mapping[str, ObjectEventKind]) -> ObjectEventKind:
    """Return the kind of a name such as ``s3:ObjectCreated:Put``, or of its family; EventError if there is none."""
    if not isinstance(name, str):
        raise EventError(f"an event name that is no text, but {shown(name)}")
    parts = name.removeprefix("s3:").split(":", 3)[:3]
    for length in range(len(parts), 0, -1):
        kind = kinds.get(":".join(parts[:length]))
        if kind is not None:
            return kind
    raise UnwantedEventError(f"an event that changes no object's bytes, or of an unknown kind: {shown(name)}")


class AwsRecord:
    """S3's own notification, keys form-encoded: a blank is ``+``, a slash stays.

    Source: Amazon S3 user guide, "Event message structure" (versions 2.1 to 2.5). LocalStack 4.7 sends the same but
    writes ``%20`` for a blank, its sequencer is a constant, and of a missing object's removal from an unversioned
    bucket it does not tell.
    """

    SOURCE: ClassVar[str] = "aws:s3"
    KINDS: ClassVar[Mapping[str, ObjectEventKind]] = {
        "ObjectCreated": ObjectEventKind.CREATED,
        "ObjectRestore": ObjectEventKind.CREATED,
        "ObjectRemoved": ObjectEventKind.REMOVED,
        "LifecycleExpiration": ObjectEventKind.REMOVED,
    }

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the record names this source."""
        return event.get("eventSource") == cls.SOURCE

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> tuple[ObjectEvent, ...]:
        """Return the one object of the record."""
        kind = kind_of(event.get("eventName"), cls.KINDS)
        found = object_event(
            kind,
            within(event, "s3", "bucket", "name"),
            within(event, "s3", "object", "key"),
            cls._key,
            version_id=within(event, "s3", "object", "versionId"),
            sequencer=within(event, "s3", "object", "sequencer"),
            trace=within(event, "responseElements", "x-amz-request-id"),
        )
        return (found,)

    @staticmethod
    def _key(spelling: str) -> str:
        return form_decoded(spelling)


class MinioRecord(AwsRecord):
    """MinIO's record, keys form-encoded with ``%2F`` for each slash. Seen on MinIO of February 2026.

    All its targets send the same document, webhook and queues alike. The sequencer is the object's time of change in
    nanoseconds, hexadecimal, or that of a removal; tags and reads repeat the object's. ``versionId`` is absent in
    unversioned buckets, and ``null`` for keys that end in a slash. MinIO takes no key with ``//`` in it.
    """

    SOURCE = "minio:s3"
    KINDS: ClassVar[Mapping[str, ObjectEventKind]] = {
        **AwsRecord.KINDS,
        "LifecycleDelMarkerExpiration": ObjectEventKind.REMOVED,
    }


class CephRecord(AwsRecord):
    """Ceph's RADOS gateway's record, keys as they are; other releases may encode them.

    Source: Ceph documentation, "S3 Bucket Notifications Compatibility", and ``rgw_notify_event_type.cc``. The sequencer
    is the time of the event, in the byte order of the machine.
    """

    SOURCE = "ceph:s3"
    KINDS: ClassVar[Mapping[str, ObjectEventKind]] = {
        **AwsRecord.KINDS,
        "ObjectLifecycle:Expiration": ObjectEventKind.REMOVED,
        "ObjectSynced:Create": ObjectEventKind.CREATED,
        "ObjectSynced:Delete": ObjectEventKind.REMOVED,
        "ObjectSynced:DeletionMarkerCreated": ObjectEventKind.REMOVED,
    }

    @staticmethod
    def _key(spelling: str) -> str:
        return perhaps_form_decoded(spelling)


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
