"""What a drill is to do, and what it counts: plain data."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass

__all__ = ["Plan", "Tally", "dice"]

_QUIET = 4.0
_LONGEST_PAUSE_OF_STORES = 62.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One drill.

    Attributes
    ----------
    seed
        Of every choice that the drill makes. What the machine makes of them (which thread comes first) is its own.
    objects
        How many objects are uploaded under keys of their own.
    minutes
        How long the writer takes for them, and faults come; it takes longer where the machine is too slow.
    store
        Name of the object store, as in ``FITSVAULT_STORE``.
    reconciles
        Whether reconcile runs: in the workers, as it does in any archive, and once more at the end.
    quiet_seconds
        How long no event must come before the last is taken to have come. By default the longest pause between two
        attempts of the store, so that it gets done what it can; with reconcile some seconds, so that events come late.
    breaks
        Whether there are faults.
    orphan_seconds
        As ``FITSVAULT_ORPHAN_SECONDS``, which is an hour elsewhere.
    """

    seed: int = 1
    objects: int = 3000
    minutes: float = 4.0
    store: str = "seaweedfs"
    reconciles: bool = True
    workers: int = 3
    writers: int = 4
    breaks: bool = True
    quiet_seconds: float | None = None
    orphan_seconds: float = 10.0

    @property
    def quiet(self) -> float:
        """How long no event must come, in seconds."""
        return self.quiet_seconds or (_QUIET if self.reconciles else _LONGEST_PAUSE_OF_STORES)

    @property
    def seconds(self) -> float:
        """How long faults come."""
        return self.minutes * 60.0


class Tally:
    """Counts by name, from many threads, in the order in which names first came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str, number: int = 1) -> None:
        """Count."""
        with self._lock:
            self._counts[name] += number

    def __getitem__(self, name: str) -> int:
        with self._lock:
            return self._counts[name]

    def items(self) -> list[tuple[str, int]]:
        """Return all names with their counts."""
        with self._lock:
            return list(self._counts.items())


def dice(plan: Plan, purpose: str) -> random.Random:
    """Return a random generator of its own for each purpose, so that one does not change what another throws."""
    return random.Random(f"{plan.seed} {purpose}")


@dataclass(frozen=True, slots=True)
class Clock:
    """Time since the drill began, in seconds."""

    begun: float

    @classmethod
    def now(cls) -> "Clock":
        """Begin now."""
        return cls(time.monotonic())

    @property
    def seconds(self) -> float:
        """How long ago that was."""
        return time.monotonic() - self.begun
