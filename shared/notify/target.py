"""What a message is on its way, and what every target can do."""

import json
from dataclasses import dataclass
from typing import Protocol

from shared.index.outbox import Message

__all__ = ["Parcel", "Target", "pack"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message as it is sent. ``body`` is JSON in ASCII, the same at every attempt; ``subject`` names the object."""

    event_id: str
    type: str
    subject: str
    attempt: int
    body: str


class Target(Protocol):
    """Someone to be told. Safe to share between threads."""

    def send(self, parcel: Parcel) -> None:
        """Return when the target has it.

        Raises
        ------
        NotDeliveredError
            It has not, or that is not sure.
        DeliveryRefusedError
            It never will.
        """


def pack(message: Message) -> Parcel:
    """Return a message as it is sent, with its sequence number. Pure."""
    body = json.dumps({**message.payload, "sequence": message.id}, separators=(",", ":"))
    return Parcel(message.event_id, message.type, f"{message.bucket}/{message.key}", message.attempts, body)
