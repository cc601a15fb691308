"""What SeaweedFS's filer posts to a webhook: changes of its own file system, from which those of objects are told.

Buckets are folders of ``/buckets``, and keys are paths below them, not encoded. Seen on SeaweedFS 4.48:

- Folders, the parts of unfinished uploads below ``.uploads``, and buckets whose name begins with a dot are no objects.
- An overwrite, new tags and a new ACL are an ``update``; a folder that is renamed or removed brings an event for
  each file in it.
- In a versioned bucket the object ``x`` is a folder ``x.versions`` of files ``v_<version>``. Each upload, delete marker
  and removal of a version brings an event for the file and one for the folder, whose attributes point at the newest
  version, in either order.
- There is no sequencer; events of one object may overtake each other.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import EventError, UnwantedEventError
from shared.events.fields import object_event, shown
from shared.events.model import ObjectEvent, ObjectEventKind

__all__ = ["SeaweedFilerEvent"]

_ROOT = "/buckets/"
_UPLOADS = ".uploads"
_VERSIONS = ".versions"
_VERSION_ID = "Seaweed-X-Amz-Version-Id"
_DELETE_MARKER = "Seaweed-X-Amz-Delete-Marker"
_NEWEST_ID = "Seaweed-X-Amz-Latest-Version-Id"
_NEWEST_IS_DELETE_MARKER = "Seaweed-X-Amz-Latest-Version-Is-Delete-Marker"
_NEWEST_IS_NULL = "Seaweed-X-Amz-Null-Version-Is-Latest"
_CREATED, _REMOVED = ObjectEventKind.CREATED, ObjectEventKind.REMOVED


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    is_folder: bool
    attributes: Mapping[str, Any]


class SeaweedFilerEvent:
    """The filer's event: an entry that was made, changed, removed or renamed."""

    _KINDS = ("create", "update", "delete", "rename")

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the event is the filer's."""
        return "event_type" in event and "message" in event and "key" in event

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> tuple[ObjectEvent, ...]:
        """Return the object that came or went; of a rename both."""
        if event["event_type"] not in cls._KINDS:
            raise UnwantedEventError(f"SeaweedFS event of an unknown kind: {shown(event['event_type'])}")
        path, message = event["key"], event["message"]
        if not isinstance(path, str) or not isinstance(message, Mapping):
            raise EventError("SeaweedFS event without a path or a message")
        old = _entry(message, "old_entry", path)
        new = _entry(message, "new_entry", _new_path(message, path))
        if old is None and new is None:
            raise EventError(f"SeaweedFS event about nothing: {shown(path)}")
        return tuple(hint for hint in _hints(old, new) if hint is not None)


def _hints(old: _Entry | None, new: _Entry | None) -> Iterator[ObjectEvent | None]:
    if old is not None and new is not None and old.path == new.path:
        yield _hint(new, _CREATED, before=old)
        return
    if old is not None:
        yield _hint(old, _REMOVED)
    if new is not None:
        yield _hint(new, _CREATED)


def _hint(entry: _Entry, kind: ObjectEventKind, before: _Entry | None = None) -> ObjectEvent | None:
    """Return what the change of an entry tells of an object, if anything; ``before`` is what one that stays was."""
    if not entry.path.startswith(_ROOT):
        return None
    bucket, _, key = entry.path.removeprefix(_ROOT).partition("/")
    if not key or bucket.startswith(".") or key.startswith(f"{_UPLOADS}/"):
        return None
    if entry.is_folder:
        return _hint_of_folder(bucket, key, entry, before)
    return _hint_of_file(bucket, key, entry, kind, is_new=before is None)


def _hint_of_folder(bucket: str, key: str, entry: _Entry, before: _Entry | None) -> ObjectEvent | None:
    """Return that another version is the newest, if the folder is one of versions and says so."""
    if not key.endswith(_VERSIONS) or not any(_NEWEST_ID in each.attributes for each in (entry, before) if each):
        return None
    found = entry.attributes
    is_there = _NEWEST_IS_NULL in found or (_NEWEST_ID in found and _NEWEST_IS_DELETE_MARKER not in found)
    kind = _CREATED if is_there else _REMOVED
    return object_event(kind, bucket, key.removesuffix(_VERSIONS), version_id=_attribute(found, _NEWEST_ID))


def _hint_of_file(bucket: str, key: str, entry: _Entry, kind: ObjectEventKind, *, is_new: bool) -> ObjectEvent | None:
    version_id = _attribute(entry.attributes, _VERSION_ID)
    folder, _, name = key.rpartition("/")
    if version_id is None or not folder.endswith(_VERSIONS) or name != f"v_{version_id}":
        return object_event(kind, bucket, key, version_id=version_id)
    if not is_new:  # a version that stays got tags, or the mark of one that was replaced
        return None
    if _DELETE_MARKER in entry.attributes:
        kind = _REMOVED
    return object_event(kind, bucket, folder.removesuffix(_VERSIONS), version_id=version_id)


def _entry(message: Mapping[str, Any], name: str, path: str) -> _Entry | None:
    entry = message.get(name)
    if not entry:
        return None
    if not isinstance(entry, Mapping):
        raise EventError(f"SeaweedFS event whose {name} is {shown(entry)}")
    attributes = entry.get("extended")
    return _Entry(path, bool(entry.get("is_directory")), attributes if isinstance(attributes, Mapping) else {})


def _new_path(message: Mapping[str, Any], path: str) -> str:
    parent, new = message.get("new_parent_path"), message.get("new_entry")
    name = new.get("name") if isinstance(new, Mapping) else None
    return f"{parent.rstrip('/')}/{name}" if isinstance(parent, str) and isinstance(name, str) else path


def _attribute(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    try:
        return b64decode(value, validate=True).decode() if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None
