"""What a dialect is, and what an envelope is."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from shared.events.model import ObjectEvent

__all__ = ["Dialect", "Envelope"]


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


class Envelope(Protocol):
    """One way in which events are handed on inside of another document."""

    @classmethod
    def knows(cls, event: Mapping[str, Any]) -> bool:
        """Tell whether the event is an envelope of this kind."""
        ...

    @classmethod
    def unwrap(cls, event: Mapping[str, Any]) -> Iterable[Any]:
        """Return what is inside, in its order; EventError if the envelope is broken."""
        ...
