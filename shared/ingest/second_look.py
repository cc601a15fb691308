"""Looking twice: objects come, change and go while two sides are read, and that is no difference between them."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.ingest.discrepancies import Discrepancy

__all__ = ["Batch", "look_twice"]

_SUSPECTS = 200
_KEYS = 10_000
_SECONDS = 2.0
_WAITING = 16

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Batch:
    """What was found up to ``position``, among so many things that were compared."""

    position: str
    compared: int
    found: Sequence[Discrepancy]


@dataclass(slots=True)
class _Heap(Generic[S]):
    begun: float
    position: str = ""
    compared: int = 0
    suspects: list[S] = field(default_factory=list)

    def is_full(self) -> bool:
        if len(self.suspects) >= _SUSPECTS or self.compared >= _KEYS:
            return True
        return self.compared % 500 == 0 and time.monotonic() - self.begun > _SECONDS


def look_twice(
    compared: Iterable[tuple[str, S | None]],
    look_again: Callable[[Sequence[S]], Iterable[Discrepancy]],
    patience: float,
) -> Iterator[Batch]:
    """Gather suspects, let them rest for ``patience`` seconds, look again, and yield what differs still.

    ``compared`` tells of each thing its position and the suspect that it is, if it is one. Batches come in the order
    of positions. The stream is read on while suspects rest, so that patience costs hardly any time.
    """
    resting: deque[tuple[float, _Heap[S]]] = deque()
    heap = _Heap[S](time.monotonic())
    for position, suspect in compared:
        heap.position = position
        heap.compared += 1
        if suspect is not None:
            heap.suspects.append(suspect)
        if heap.is_full():
            resting.append((_due(heap, patience), heap))
            heap = _Heap(time.monotonic())
            while resting and (resting[0][0] <= time.monotonic() or len(resting) > _WAITING):
                yield _batch(*resting.popleft(), look_again)
    if heap.compared:
        resting.append((_due(heap, patience), heap))
    while resting:
        yield _batch(*resting.popleft(), look_again)


def _due(heap: _Heap[S], patience: float) -> float:
    return time.monotonic() + patience if heap.suspects else 0.0


def _batch(due: float, heap: _Heap[S], look_again: Callable[[Sequence[S]], Iterable[Discrepancy]]) -> Batch:
    time.sleep(max(0.0, due - time.monotonic()))
    found = list(look_again(heap.suspects)) if heap.suspects else []
    return Batch(heap.position, heap.compared, found)
