"""The bytes of a plan, read ahead from the store in pieces, in constant memory."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future

from shared.bundle.plan import Content, Piece

__all__ = ["AHEAD_BYTES", "PIECE_BYTES", "pieces", "read_ahead"]

PIECE_BYTES = 4 << 20
"""Bytes asked of the store at once."""

AHEAD_BYTES = 8 << 20
"""Bytes of pieces asked for, or waiting to be sent, beside the one that is being sent."""

_AHEAD_PIECES = 16


def pieces(contents: Iterable[Content], size: int = PIECE_BYTES) -> Iterator[Content]:
    """Cut what is to be had from the store into pieces of at most ``size`` bytes."""
    for content in contents:
        if isinstance(content, bytes):
            yield content
        else:
            for start in range(content.start, content.stop, size):
                yield Piece(content.state, start, min(start + size, content.stop))


def read_ahead(
    contents: Iterable[Content],
    fetch: Callable[[Piece], bytes],
    executor: Executor,
    *,
    ahead: int = AHEAD_BYTES,
) -> Generator[Future[bytes], None, None]:
    """Yield the bytes of ``contents`` in order, each as soon as asked for; those that come next are under way.

    Parameters
    ----------
    fetch
        Reads a piece, in a thread of ``executor``.
    ahead
        Bytes under way at most, beside the piece that is yielded. Pieces not begun are given up when the iterator
        is closed.
    """
    source = pieces(contents)
    waiting: deque[tuple[Future[bytes], int]] = deque()
    under_way = 0
    more = True
    try:
        while more or waiting:
            while more and under_way < ahead and len(waiting) < _AHEAD_PIECES:
                content = next(source, None)
                if content is None:
                    more = False
                    break
                future, size = _begin(content, fetch, executor)
                waiting.append((future, size))
                under_way += size
            if waiting:
                future, size = waiting.popleft()
                under_way -= size
                yield future
    finally:
        for future, _ in waiting:
            future.cancel()


def _begin(content: Content, fetch: Callable[[Piece], bytes], executor: Executor) -> tuple[Future[bytes], int]:
    if isinstance(content, Piece):
        return executor.submit(fetch, content), content.stop - content.start
    made: Future[bytes] = Future()
    made.set_result(content)
    return made, len(content)
