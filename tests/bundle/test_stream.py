import random
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import closing

import pytest

from shared.bundle.plan import Content, Piece, Plan
from shared.bundle.stream import CHUNK_BYTES, PIECE_BYTES, read_ahead
from shared.errors import ObjectChangedError
from shared.store.model import ObjectState
from tests.bundle.layouts import MOMENT, stored, whole


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def zeros(piece: Piece, size: int) -> Generator[bytes, None, None]:
    for position in range(piece.start, piece.stop, size):
        time.sleep(random.random() / 500)
        yield bytes(min(size, piece.stop - position))


def test_bytes_come_in_order(threads: ThreadPoolExecutor) -> None:
    plan = Plan(stored(f"{number}", size) for number, size in enumerate([0, 5, 9_000_000, 1, 4 << 20, 70_000]))
    data = b"".join(future.result() for future in read_ahead(plan.contents(), zeros, threads))
    assert data == whole(plan.contents())


def test_no_more_is_read_than_is_allowed(threads: ThreadPoolExecutor) -> None:
    asked: list[int] = []
    read: list[int] = []

    def fetch(piece: Piece, size: int) -> Generator[bytes, None, None]:
        asked.append(piece.stop - piece.start)
        for chunk in zeros(piece, size):
            read.append(len(chunk))
            yield chunk

    plan = Plan([stored("large", 400 << 20)])
    with closing(read_ahead(plan.contents(), fetch, threads, ahead=12 << 20)) as futures:
        for _ in range(12):
            next(futures).result()
        time.sleep(0.1)
        assert set(asked) == {PIECE_BYTES}
        assert max(read) == CHUNK_BYTES
        assert sum(read) <= (12 << 20) + 12 * CHUNK_BYTES


def test_what_comes_next_is_under_way(threads: ThreadPoolExecutor) -> None:
    together = threading.Barrier(3, timeout=10)

    def fetch(piece: Piece, size: int) -> Generator[bytes, None, None]:
        together.wait()
        yield bytes(piece.stop - piece.start)

    contents: list[Content] = [
        Piece(ObjectState(bucket="b", key=f"{n}", etag="e", size=1, last_modified=MOMENT), 0, 1) for n in range(3)
    ]
    assert [future.result() for future in read_ahead(contents, fetch, threads)] == [b"\0"] * 3


def test_no_thread_is_held_while_nobody_takes(threads: ThreadPoolExecutor) -> None:
    plan = Plan([stored("large", 100 << 20)])
    several = [read_ahead(plan.contents(), zeros, threads) for _ in range(20)]
    for _ in range(3):
        for futures in several:
            next(futures).result(timeout=10)
    for futures in several:
        futures.close()


@pytest.mark.parametrize("taken", [0, 1, 3, 9])
def test_what_is_given_up_is_let_go_of(threads: ThreadPoolExecutor, taken: int) -> None:
    ended = threading.Semaphore(0)
    begun: list[Piece] = []

    def fetch(piece: Piece, size: int) -> Generator[bytes, None, None]:
        begun.append(piece)
        try:
            yield from zeros(piece, size)
        finally:
            ended.release()

    with closing(read_ahead(Plan([stored("large", 400 << 20)]).contents(), fetch, threads)) as futures:
        for _ in range(taken):
            next(futures).result()
    if taken > 1:  # what comes first are the header's bytes
        assert all(ended.acquire(timeout=10) for _ in begun)
    assert len(begun) * PIECE_BYTES <= (taken + 4) * CHUNK_BYTES + PIECE_BYTES


def test_nobody_waits_for_threads_that_have_ended() -> None:
    executor, gate = ThreadPoolExecutor(1), threading.Event()
    executor.submit(gate.wait, 10)
    futures = read_ahead(Plan([stored("large", 10 << 20)]).contents(), zeros, executor)
    next(futures).result()
    waiting = next(futures)
    executor.shutdown(wait=False, cancel_futures=True)
    gate.set()
    with pytest.raises(CancelledError):
        waiting.result(timeout=10)


def test_a_fault_comes_in_its_turn(threads: ThreadPoolExecutor) -> None:
    def fetch(piece: Piece, size: int) -> Generator[bytes, None, None]:
        if piece.state.key == "bad":
            raise ObjectChangedError
        yield b"x" * (piece.stop - piece.start)

    contents = list(Plan([stored("good", 10), stored("bad", 10), stored("after", 10)]).contents())
    futures = list(read_ahead(contents, fetch, threads))
    assert [type(future.exception()) for future in futures[:5]] == [type(None)] * 3 + [ObjectChangedError, type(None)]
    assert [future.result() for future in futures[:2]] == [contents[0], b"x" * 10]
