"""Waiting for objects to arrive in the index, and settling those that no event told of."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read
from shared.errors import FitsvaultError
from shared.index.arrivals import Arrival, find_arrivals
from shared.ingest.service import Ingester, Outcome
from shared.parallel import in_parallel

__all__ = ["Arrived", "await_arrivals", "settle_keys"]

_POLL_SECONDS = 0.2
_SETTLE_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An object that the index knows now: as a frame, or with the reason why it is none."""

    key: str
    outcome: Outcome
    reason: str | None = None
    is_unsettled: bool = False


def await_arrivals(
    ingester: Ingester,
    sessions: sessionmaker[Session],
    bucket: str,
    expected: Mapping[str, str],
    *,
    patience: float,
) -> Iterator[Arrived]:
    """Yield each of the expected objects (key to ETag) as soon as the index knows it.

    Once nothing has arrived for ``patience`` seconds, what is left is settled here: no event told of it.
    """
    pending = dict(expected)
    last = time.monotonic()
    while pending and time.monotonic() - last < patience:
        arrived = _look(sessions, bucket, pending)
        for key, arrival in arrived.items():
            del pending[key]
            yield Arrived(key=key, outcome=_outcome(arrival), reason=arrival.reason)
        if arrived:
            last = time.monotonic()
        elif pending:
            time.sleep(_POLL_SECONDS)
    yield from settle_keys(ingester, sessions, bucket, iter(pending))


def settle_keys(
    ingester: Ingester,
    sessions: sessionmaker[Session],
    bucket: str,
    keys: Iterator[str],
    *,
    force: bool = False,
    workers: int = _SETTLE_AT_ONCE,
) -> Iterator[Arrived]:
    """Settle objects, several at once, and yield what became of each, in the order of the keys.

    What could not be settled just now has the outcome FAILED and ``is_unsettled``; a later try may cure it.
    """

    def settle(key: str) -> Arrived:
        try:
            outcome = ingester.settle(bucket, key, force=force)
        except FitsvaultError as error:
            return Arrived(key=key, outcome=Outcome.FAILED, reason=f"not settled: {error}", is_unsettled=True)
        if outcome not in (Outcome.FAILED, Outcome.UNCHANGED):
            return Arrived(key=key, outcome=outcome)
        with read(sessions) as session:
            known = find_arrivals(session, bucket, [key]).get(key)
        if known is None or known.reason is None:
            return Arrived(key=key, outcome=outcome)
        return Arrived(key=key, outcome=Outcome.FAILED, reason=known.reason)

    for _, arrived in in_parallel(settle, keys, workers):
        yield arrived


def _look(sessions: sessionmaker[Session], bucket: str, pending: Mapping[str, str]) -> dict[str, Arrival]:
    with read(sessions) as session:
        found = find_arrivals(session, bucket, list(pending))
    return {key: arrival for key, arrival in found.items() if arrival.etag == pending[key]}


def _outcome(arrival: Arrival) -> Outcome:
    return Outcome.INDEXED if arrival.reason is None else Outcome.FAILED
