"""Frames by columns, which is how a million of them are made and loaded, and as records, one by one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from shared.index.record import FrameRecord, LinkRecord

__all__ = ["LINK_KEYWORDS", "Batch", "records"]

LINK_KEYWORDS = ("L1BIAS", "L1DARK", "L1FLAT")

_COLUMNS = tuple(field.name for field in fields(FrameRecord) if field.name != "links")


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive frames of a population.

    ``columns`` are those of `FrameRecord` but for the links, each as long as the batch. The ids of the frames go up
    by one from ``first_id``; those of a whole population begin at 1. ``linking`` are the indices in the batch of the
    frames that have links; ``targets`` and ``target_ids`` have an entry for each of those, in the order of
    `LINK_KEYWORDS`.
    """

    first_id: int
    columns: Mapping[str, Sequence[Any]]
    linking: Sequence[int]
    targets: Sequence[tuple[str, str, str]]
    target_ids: Sequence[tuple[int, int, int]]

    def __len__(self) -> int:
        return len(self.columns["key"])


def records(batch: Batch) -> Iterator[FrameRecord]:
    """Yield the frames one by one."""
    links = {
        index: tuple(map(LinkRecord, LINK_KEYWORDS, targets))
        for index, targets in zip(batch.linking, batch.targets, strict=True)
    }
    rows = zip(*(batch.columns[name] for name in _COLUMNS), strict=True)
    for index, row in enumerate(rows):
        yield FrameRecord(**dict(zip(_COLUMNS, row, strict=True)), links=links.get(index, ()))
