"""What the index knows of many objects at once: whether they arrived, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.index.models import Failure, Frame

__all__ = ["Arrival", "find_arrivals"]

_KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of an object: a frame with its SHA-256, or a failure with its reason."""

    etag: str | None
    sha256: str | None = None
    reason: str | None = None


def find_arrivals(session: Session, bucket: str, keys: Sequence[str]) -> dict[str, Arrival]:
    """Return what became of those objects that the index knows, by key."""
    found: dict[str, Arrival] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        failures = select(Failure.key, Failure.etag, Failure.kind, Failure.message)
        for key, etag, kind, message in session.execute(
            failures.where(Failure.bucket == bucket, Failure.key.in_(some))
        ):
            found[key] = Arrival(etag, reason=message if message.startswith(f"{kind}: ") else f"{kind}: {message}")
        frames = select(Frame.key, Frame.etag, Frame.sha256)
        for key, etag, sha256 in session.execute(frames.where(Frame.bucket == bucket, Frame.key.in_(some))):
            found[key] = Arrival(etag, sha256=sha256)
    return found
