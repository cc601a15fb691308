"""Figures: each question asked some times, the first of which do not count."""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_session_factory
from tests.bench_index.queries import Question, Request
from tests.bench_index.service import Client
from tests.bench_index.stock import Stock
from tests.bench_index.ways import answer_by_index, answer_by_predecessor, limited, rows_of, statements_of

__all__ = ["Figure", "Times", "measure", "measure_predecessor"]

_WARM_UP = 3
_LIMIT = 30.0
_LONG_ENOUGH = 5.0


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of the repetitions; ``is_broken_off`` where one took so long that it was given up, and counts as that."""

    seconds: tuple[float, ...]
    is_broken_off: bool = False

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """The 95th percentile, the largest of few."""
        return statistics.quantiles(self.seconds, n=20)[-1] if len(self.seconds) >= 20 else max(self.seconds)


@dataclass(frozen=True, slots=True)
class Figure:
    """What a question took. ``rows`` is the median number of rows in the answers; ``statements`` the most of one."""

    name: str
    rows: int
    statements: int
    http: Times
    index: Times


def measure(stock: Stock, client: Client, question: Question, repetitions: int) -> Figure:
    """Ask over HTTP and in this process, the same requests each way; the predecessor is not asked."""
    sessions = make_session_factory(stock.ours)
    warm_up, counted = _requests(question, repetitions)
    bodies: list[bytes] = []
    client.close()
    _time(client.get, warm_up)
    over_http = _time(lambda request: bodies.append(client.get(request)), counted)
    statements = [_count_statements(stock, sessions, request) for request in warm_up[:2]]
    in_process = _time(lambda request: answer_by_index(sessions, request), counted)
    rows = round(statistics.median(map(rows_of, bodies)))
    return Figure(question.name, rows, max(statements), Times(over_http), Times(in_process))


def measure_predecessor(stock: Stock, question: Question, repetitions: int) -> Times:
    """Ask the predecessor's tables the first of the same requests."""
    warm_up, counted = _requests(question, repetitions)
    with limited(stock.theirs, _LIMIT) as connection:
        try:
            _time(lambda request: answer_by_predecessor(connection, request), warm_up[:1])
            return Times(_time(lambda request: answer_by_predecessor(connection, request), counted))
        except OperationalError:
            return Times((_LIMIT,), is_broken_off=True)


def _requests(question: Question, repetitions: int) -> tuple[list[Request], list[Request]]:
    """Return the requests that do not count, and those that do."""
    asked = [question.ask(random.Random(f"{question.name} {which}")) for which in range(_WARM_UP + repetitions)]
    return asked[:_WARM_UP], asked[_WARM_UP:]


def _time(answer: Callable[[Request], object], requests: Sequence[Request]) -> tuple[float, ...]:
    """Return how long each took; of slow ones no more than two are asked beyond some seconds in all."""
    seconds: list[float] = []
    for request in requests:
        if len(seconds) >= 2 and sum(seconds) > _LONG_ENOUGH:
            break
        begin = time.perf_counter()
        answer(request)
        seconds.append(time.perf_counter() - begin)
    return tuple(seconds)


def _count_statements(stock: Stock, sessions: sessionmaker[Session], request: Request) -> int:
    with statements_of(stock.ours) as statements:
        answer_by_index(sessions, request)
    return len(statements)
