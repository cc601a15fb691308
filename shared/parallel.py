"""Work on many items by a few threads, without holding all of them in memory; and work beside other work."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["in_parallel", "meanwhile"]

_AHEAD = 4

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(
    work: Callable[[T], R], items: Iterable[T], workers: int, *, stop: threading.Event | None = None
) -> Iterator[tuple[T, R]]:
    """Yield each item with its result, in the order of the items.

    Items are taken as they are needed. When the caller leaves early, what has not begun never begins; ``stop`` is set
    at the end, so that work under way can look at it and leave, too.
    """
    pool = ThreadPoolExecutor(workers)
    running: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            running.append((item, pool.submit(work, item)))
            if len(running) >= workers * _AHEAD:
                yield _next_of(running)
        while running:
            yield _next_of(running)
    finally:
        if stop is not None:
            stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def meanwhile(act: Callable[[], bool], every: float, name: str) -> Iterator[None]:
    """Act in a thread every so many seconds in the length of the block, until that returns False."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(every) and act():
            pass

    thread = threading.Thread(target=go_on, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _next_of(running: deque[tuple[T, Future[R]]]) -> tuple[T, R]:
    item, future = running[0]
    result = future.result()
    running.popleft()
    return item, result
