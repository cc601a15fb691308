"""Locks by name: work on one thing waits for its turn, work on others does not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["NamedLocks"]


class NamedLocks:
    """As many locks as there are names in use just now."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold the lock of that name for the length of the block."""
        with self._guard:
            lock, users = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                users = self._locks[name][1] - 1
                if users:
                    self._locks[name] = (lock, users)
                else:
                    del self._locks[name]
