"""How a sweep is cut into ranges that workers share."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy.orm import Session

from shared.index.missing import MISSING
from shared.index.quantiles import count_frames, key_quantiles
from shared.index.sweeps import PlannedRange

__all__ = ["Part", "Scope", "cut", "digest_boundaries", "number_of_ranges", "plan_sweep"]

_RANGES = 64
_HEX = 256


class Scope(StrEnum):
    """What a sweep goes over: everything, or only the objects and their rows.

    ``REMOVAL`` is everything, and removes missing frames however many they are.
    """

    ALL = "all"
    OBJECTS = "objects"
    REMOVAL = "removal"


class Part(StrEnum):
    """What the workers of a range compare.

    ``MISSING`` ranges come up as a sweep goes on: where frames are that have no object.
    """

    OBJECTS = "objects"
    DERIVED = "derived"
    DERIVED_OF_KEYS = "derived-of-keys"
    MISSING = MISSING


def number_of_ranges(count: int, size: int) -> int:
    """Return into how many ranges of about ``size`` so many things are cut."""
    return min(max(1, -(-count // size)), _RANGES)


def cut(part: Part, boundaries: Sequence[str]) -> list[PlannedRange]:
    """Return the ranges between boundaries, which are in order; each belongs to the range that it ends."""
    ends: list[str | None] = [*boundaries, None]
    return [
        PlannedRange(part=part, after=after, until=until) for after, until in zip(["", *boundaries], ends, strict=True)
    ]


def digest_boundaries(ranges: int) -> list[str]:
    """Return the beginnings of digests, as hex digits, that cut all digests into ranges of about the same size."""
    return [f"{_HEX * number // ranges:02x}" for number in range(1, ranges)]


def plan_sweep(
    session: Session, bucket: str, prefix: str, scope: Scope, *, size: int
) -> tuple[int, list[PlannedRange]]:
    """Return the number of frames, and ranges of about ``size`` of them: cut where the index is now."""
    count = count_frames(session, bucket, prefix=prefix)
    ranges = number_of_ranges(count, size)
    boundaries = key_quantiles(session, bucket, prefix=prefix, step=-(-count // ranges)) if ranges > 1 else []
    objects = cut(Part.OBJECTS, boundaries)
    if scope is Scope.OBJECTS:
        return count, objects
    if prefix:
        return count, objects + cut(Part.DERIVED_OF_KEYS, boundaries)
    return count, objects + cut(Part.DERIVED, digest_boundaries(ranges))
