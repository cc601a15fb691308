"""What an event tells: a hint that an object may have changed, never a fact."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["EventReading", "ObjectEvent", "ObjectEventKind"]


class ObjectEventKind(StrEnum):
    """What the store says has happened."""

    CREATED = "created"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEvent:
    """One object of one event, its key as the store's S3 interface knows it.

    ``kind``, ``version_id``, ``sequencer`` and ``trace`` serve logs alone: ingest looks at the object itself.

    Attributes
    ----------
    key
        Decoded once, by the rule of the dialect.
    raw_key
        The key as the event spells it, where that differs. Stores break the rule, so it may itself be the key:
        where there is no object ``key``, look at this one too.
    trace
        The id that the store gave to the request which changed the object; whoever made it got the id as well.
    """

    bucket: str
    key: str
    kind: ObjectEventKind
    raw_key: str | None = None
    version_id: str | None = None
    sequencer: str | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class EventReading:
    """What was understood of an event, and what was not.

    Attributes
    ----------
    events
        The objects that the event tells of, in its order.
    refused
        Why some of its records were refused, a sentence for each; the others are none the worse for it.
    unwanted
        Why others were refused that are well formed, but tell of nothing that ingest looks at.
    """

    events: tuple[ObjectEvent, ...] = ()
    refused: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
