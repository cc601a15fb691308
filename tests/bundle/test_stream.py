import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from shared.bundle.plan import Content, Piece, Plan
from shared.bundle.stream import PIECE_BYTES, read_ahead
from shared.errors import ObjectChangedError
from shared.store.model import ObjectState
from tests.bundle.layouts import MOMENT, stored, whole


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def zeros(piece: Piece) -> bytes:
    time.sleep(random.random() / 500)
    return bytes(piece.stop - piece.start)


def test_bytes_come_in_order(threads: ThreadPoolExecutor) -> None:
    plan = Plan(stored(f"{number}", size) for number, size in enumerate([0, 5, 9_000_000, 1, 4 << 20, 70_000]))
    data = b"".join(future.result() for future in read_ahead(plan.contents(), zeros, threads))
    assert data == whole(plan.contents())


def test_no_more_is_read_than_is_allowed(threads: ThreadPoolExecutor) -> None:
    fetched: list[int] = []

    def fetch(piece: Piece) -> bytes:
        fetched.append(piece.stop - piece.start)
        return bytes(piece.stop - piece.start)

    plan = Plan([stored("large", 400 << 20)])
    with closing(read_ahead(plan.contents(), fetch, threads, ahead=12 << 20)) as futures:
        for _ in range(3):
            next(futures).result()
        time.sleep(0.1)
        assert max(fetched) == PIECE_BYTES
        assert sum(fetched) <= (12 << 20) + 3 * PIECE_BYTES


def test_what_comes_next_is_under_way(threads: ThreadPoolExecutor) -> None:
    together = threading.Barrier(3, timeout=10)

    def fetch(piece: Piece) -> bytes:
        together.wait()
        return bytes(piece.stop - piece.start)

    contents: list[Content] = [
        Piece(ObjectState(bucket="b", key=f"{n}", etag="e", size=1, last_modified=MOMENT), 0, 1) for n in range(3)
    ]
    assert [future.result() for future in read_ahead(contents, fetch, threads)] == [b"\0"] * 3


def test_a_fault_comes_in_its_turn(threads: ThreadPoolExecutor) -> None:
    def fetch(piece: Piece) -> bytes:
        if piece.state.key == "bad":
            raise ObjectChangedError
        return b"x" * (piece.stop - piece.start)

    contents = list(Plan([stored("good", 10), stored("bad", 10), stored("after", 10)]).contents())
    futures = list(read_ahead(contents, fetch, threads))
    assert [type(future.exception()) for future in futures[:5]] == [type(None)] * 3 + [ObjectChangedError, type(None)]
    assert [future.result() for future in futures[:2]] == [contents[0], b"x" * 10]
