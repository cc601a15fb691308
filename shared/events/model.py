"""What an event tells: a hint that an object may have changed, never a fact."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ObjectEvent", "ObjectEventKind"]


class ObjectEventKind(StrEnum):
    """What the store says has happened."""

    CREATED = "created"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEvent:
    """One object of one event, its key as the store's S3 interface knows it.

    ``kind``, ``version_id`` and ``sequencer`` serve logs alone: ingest looks at the object itself.
    """

    bucket: str
    key: str
    kind: ObjectEventKind
    version_id: str | None = None
    sequencer: str | None = None
