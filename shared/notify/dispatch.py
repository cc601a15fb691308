"""Dispatch: claims what is due, sends it, and forgets what arrived. Any number of dispatchers may be at work.

Between the sending and the forgetting a dispatcher can die, so a target may get a message twice. It does not lose one.
"""

import datetime as dt
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session, sessionmaker

from shared.backoff import delay
from shared.database import read, utc_now, write
from shared.errors import DeliveryRefusedError, NotDeliveredError
from shared.index.outbox import Message, claim, delivered, has_due, not_delivered, put_back
from shared.index.undelivered import drop_old
from shared.notify.target import Target, pack
from shared.parallel import in_parallel

__all__ = ["Dispatcher", "Fate", "Pace"]

_log = logging.getLogger("fitsvault.notify")
_KEPT = dt.timedelta(days=30)
_CLEANING_SECONDS = 3600.0


class Fate(StrEnum):
    """What became of a claimed message."""

    DELIVERED = "delivered"
    TO_RETRY = "to retry"
    GIVEN_UP = "given up"
    PUT_BACK = "put back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How messages are sent, in seconds.

    ``claim`` must outlast a batch: what is not sent by then, another dispatcher sends, too. ``base`` and ``cap`` are of
    the waits of a message; ``pause`` is the longest of a target that fails, in which nothing is sent to it.
    """

    attempts: int = 40
    base: float = 5.0
    cap: float = 3600.0
    pause: float = 60.0
    claim: float = 120.0
    batch: int = 8
    at_once: int = 4


class Dispatcher:
    """Sends what the outbox holds for some targets. One thread at a time may call it."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        targets: Mapping[str, Target],
        pace: Pace = Pace(),
    ) -> None:
        self._sessions = sessions
        self._targets = targets
        self._pace = pace
        self._breaks = {name: _Break(pace.pause) for name in targets}
        self._cleaning = time.monotonic()

    @property
    def has_targets(self) -> bool:
        """Whether there is anybody to be told."""
        return bool(self._targets)

    def dispatch(self, *, stop: Callable[[], bool] = lambda: False) -> Counter[Fate]:
        """Send what is due, and return what became of it; what is not due, or whose target pauses, waits.

        Raises
        ------
        sqlalchemy.exc.DBAPIError
            The database is away.
        """
        fates: Counter[Fate] = Counter()
        while not stop() and (batch := self._claim()):
            sent = in_parallel(lambda message: self._send(message, stop), batch, self._pace.at_once)
            fates.update(fate for _, fate in sent)
        self._clean()
        return fates

    def dispatch_for(self, seconds: float) -> Counter[Fate]:
        """Send what is due for some seconds, where that is not the main thing: whatever goes wrong is only logged."""
        end = time.monotonic() + seconds
        try:
            return self.dispatch(stop=lambda: time.monotonic() > end)
        except Exception:  # noqa: BLE001 - what was not sent is sent later, by whoever comes next
            _log.exception("notifications were not sent")
            return Counter()

    def _claim(self) -> list[Message]:
        awake = [name for name, break_ in self._breaks.items() if not break_.is_on()]
        if not awake:
            return []
        with read(self._sessions) as session:
            if not has_due(session, awake):
                return []
        with write(self._sessions) as session:
            return list(claim(session, awake, limit=self._pace.batch, seconds=self._pace.claim))

    def _send(self, message: Message, stop: Callable[[], bool]) -> Fate:
        break_ = self._breaks[message.target]
        if stop() or break_.is_on():
            with write(self._sessions) as session:
                put_back(session, message)
            return Fate.PUT_BACK
        if message.attempts > self._pace.attempts:
            return self._give_up(message, f"none of {self._pace.attempts} attempts came to an end")
        try:
            self._targets[message.target].send(pack(message))
        except DeliveryRefusedError as error:
            return self._give_up(message, str(error))
        except NotDeliveredError as error:
            break_.begin(error.retry_after)
            return self._retry(message, str(error), error.retry_after)
        except Exception as error:  # noqa: BLE001 - whatever it is, the message is kept
            _log.exception("sending failed", extra=_names(message))
            break_.begin()
            return self._retry(message, f"unexpected {type(error).__name__}")
        break_.end()
        with write(self._sessions) as session:
            delivered(session, message)
        _log.info("notified", extra=_names(message))
        return Fate.DELIVERED

    def _retry(self, message: Message, reason: str, least: float = 0.0) -> Fate:
        pace = self._pace
        if message.attempts >= pace.attempts:
            return self._give_up(message, reason)
        wait = delay(message.attempts, base=pace.base, cap=pace.cap, random=random.random())  # noqa: S311 - no secret
        wait = max(wait, least)
        with write(self._sessions) as session:
            not_delivered(session, message, reason, wait=wait)
        _log.warning("not notified", extra=_names(message) | {"reason": reason, "seconds": round(wait, 1)})
        return Fate.TO_RETRY

    def _give_up(self, message: Message, reason: str) -> Fate:
        with write(self._sessions) as session:
            not_delivered(session, message, reason, wait=None)
        _log.error("notification given up", extra=_names(message) | {"reason": reason})
        return Fate.GIVEN_UP

    def _clean(self) -> None:
        """Drop what was given up long ago and nobody asked for."""
        if not self._targets or time.monotonic() < self._cleaning:
            return
        self._cleaning = time.monotonic() + _CLEANING_SECONDS
        with write(self._sessions) as session:
            count = drop_old(session, utc_now() - _KEPT)
        if count:
            _log.warning("old notifications dropped", extra={"count": count})


class _Break:
    """The pause of a target that fails, longer each time, until it takes a message again."""

    def __init__(self, cap: float) -> None:
        self._cap = cap
        self._failures = 0
        self._until = 0.0
        self._lock = threading.Lock()

    def is_on(self) -> bool:
        return time.monotonic() < self._until

    def begin(self, least: float = 0.0) -> None:
        """Pause, as long as the target asks for if that is not too long.

        Failures of messages that were sent side by side count once.
        """
        with self._lock:
            if not self.is_on():
                self._failures += 1
                wait = delay(self._failures, base=1.0, cap=self._cap, random=random.random())  # noqa: S311 - no secret
                self._until = time.monotonic() + max(wait, min(least, self._cap))

    def end(self) -> None:
        with self._lock:
            self._failures, self._until = 0, 0.0


def _names(message: Message) -> dict[str, object]:
    return {
        "target": message.target,
        "type": message.type,
        "id": message.event_id,
        "attempt": message.attempts,
        "bucket": message.bucket,
        "key": message.key,
    }
