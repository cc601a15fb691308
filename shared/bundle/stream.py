"""The bytes of a plan, read ahead from the store in pieces, in constant memory."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import closing

from shared.bundle.plan import Content, Piece

__all__ = ["AHEAD_BYTES", "CHUNK_BYTES", "PIECE_BYTES", "Fetch", "pieces", "read_ahead"]

PIECE_BYTES = 16 << 20
"""Bytes asked of the store at once. Some stores let nobody write what is being read, so it is not all of a frame."""

CHUNK_BYTES = 2 << 20
"""Bytes handed on at once, while the rest of their piece is still on its way."""

AHEAD_BYTES = 8 << 20
"""Bytes under way, or waiting to be sent, beside those that are being sent."""

_AHEAD_CHUNKS = 16

Fetch = Callable[[Piece, int], Generator[bytes, None, None]]
"""Reads a piece in chunks of so many bytes, of which only the last is shorter."""


def pieces(contents: Iterable[Content], size: int = PIECE_BYTES) -> Iterator[Content]:
    """Cut what is to be had from the store into pieces of at most ``size`` bytes."""
    for content in contents:
        if isinstance(content, bytes):
            yield content
        else:
            for start in range(content.start, content.stop, size):
                yield Piece(content.state, start, min(start + size, content.stop))


def read_ahead(
    contents: Iterable[Content], fetch: Fetch, executor: Executor, *, ahead: int = AHEAD_BYTES
) -> Generator[Future[bytes], None, None]:
    """Yield the bytes of ``contents`` in order, each as soon as asked for; those that come next are under way.

    Parameters
    ----------
    fetch
        Reads a piece, in threads of ``executor``, which it holds no longer than the store takes.
    ahead
        As long as fewer bytes are under way, more are asked for. What is not read yet is given up when the iterator is
        closed.
    """
    waiting: deque[tuple[Future[bytes], int]] = deque()
    under_way = 0
    with closing(_asked(pieces(contents), fetch, executor)) as source:
        try:
            while True:
                while under_way < ahead and len(waiting) < _AHEAD_CHUNKS:
                    chunk = next(source, None)
                    if chunk is None:
                        break
                    waiting.append(chunk)
                    under_way += chunk[1]
                if not waiting:
                    return
                future, size = waiting.popleft()
                under_way -= size
                yield future
        finally:
            for future, _ in waiting:
                future.cancel()


def _asked(
    contents: Iterable[Content], fetch: Fetch, executor: Executor
) -> Generator[tuple[Future[bytes], int], None, None]:
    """Yield the chunks of ``contents`` with their lengths, each asked for when it is yielded."""
    for content in contents:
        if isinstance(content, bytes):
            made: Future[bytes] = Future()
            made.set_result(content)
            yield made, len(content)
            continue
        with closing(_Reading(fetch(content, CHUNK_BYTES), executor)) as reading:
            for position in range(content.start, content.stop, CHUNK_BYTES):
                yield reading.ask(), min(CHUNK_BYTES, content.stop - position)


class _Reading:
    """A piece that is read chunk by chunk as they are asked for, and holds a thread only while one is."""

    def __init__(self, chunks: Generator[bytes, None, None], executor: Executor) -> None:
        self._chunks = chunks
        self._executor = executor
        self._lock = threading.Lock()
        self._asked: deque[Future[bytes] | None] = deque()
        self._is_running = False
        self._error: BaseException | None = None

    def ask(self) -> Future[bytes]:
        """Return the next chunk, which is on its way."""
        future: Future[bytes] = Future()
        self._put(future)
        return future

    def close(self) -> None:
        """Let go of the piece behind the chunks that were asked for."""
        self._put(None)

    def _put(self, asked: Future[bytes] | None) -> None:
        with self._lock:
            self._asked.append(asked)
            if self._is_running:
                return
            self._is_running = True
        self._executor.submit(self._run).add_done_callback(self._give_up)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._asked:
                    self._is_running = False
                    return
                future = self._asked.popleft()
            if future is None:
                self._chunks.close()
            elif future.set_running_or_notify_cancel():
                self._read(future)

    def _read(self, future: Future[bytes]) -> None:
        if self._error is None:
            try:
                future.set_result(next(self._chunks))
            except BaseException as error:  # noqa: BLE001 - who waits for the chunk gets it
                self._error = error
        if self._error is not None:
            future.set_exception(self._error)

    def _give_up(self, task: Future[None]) -> None:
        """Leave nobody waiting whose threads have ended."""
        if task.cancelled():
            for future in self._asked:
                if future is not None:
                    future.cancel()
