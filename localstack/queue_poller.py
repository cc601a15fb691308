"""What Lambda's event source mapping does, on our own machine: polls a queue and hands its batches to the function.

What the function settled is taken off the queue. What it names in ``batchItemFailures`` stays: it is seen again after
the queue's visibility time, and goes to the dead-letter queue after as many attempts as its redrive policy allows.
"""

import logging
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localstack.handing import Handle, unsettled
from localstack.queue import Queue
from shared.backoff import delay

__all__ = ["QueuePoller"]

_log = logging.getLogger("fitsvault.queue")
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_LONGEST_WORK = 6 * 3600.0
_PATIENCE = 10.0


class QueuePoller:
    """Polls in threads of its own, from ``start`` to ``stop``; each works on one batch at a time.

    Parameters
    ----------
    handle
        The function: takes an SQS event, answers ``batchItemFailures``.
    """

    def __init__(self, queue: Queue, handle: Handle, *, workers: int) -> None:
        self._queue = queue
        self._handle = handle
        self._stop = threading.Event()
        self._busy = [threading.Lock() for _ in range(workers)]
        self._threads = [
            threading.Thread(target=self._work, args=(busy,), name=f"queue-{number}", daemon=True)
            for number, busy in enumerate(self._busy)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End once the batches at work are done, or after some patience; who waits for messages is not waited for."""
        self._stop.set()
        for busy in self._busy:
            busy.acquire(timeout=_PATIENCE)

    def _work(self, busy: threading.Lock) -> None:
        in_vain = 0
        while not self._stop.is_set():
            try:
                records = self._queue.receive()
                with busy:
                    settled = self._take(records)
            except (BotoCoreError, ClientError) as error:
                settled = False
                _log.error("queue is away", extra={"queue": self._queue.url, "reason": str(error)})
            in_vain = 0 if settled else in_vain + 1
            if in_vain:
                self._stop.wait(delay(in_vain, base=_FIRST_PAUSE, cap=_LONGEST_PAUSE, random=random.random()))  # noqa: S311

    def _take(self, records: Sequence[dict[str, Any]]) -> bool:
        """Hand a batch to the function; False if nothing of it could be settled, so that it is time for a pause."""
        if not records:
            return True
        if self._stop.is_set():
            self._queue.hide(records, 0)
            return True
        with self._hidden(records):
            failed = unsettled(self._handle, records)
        self._queue.delete([record for record in records if record["messageId"] not in failed])
        return len(failed) < len(records)

    @contextmanager
    def _hidden(self, records: Sequence[dict[str, Any]]) -> Iterator[None]:
        """Keep messages hidden from others as long as they are worked on, but not for ever."""
        done = threading.Event()
        keeper = threading.Thread(target=self._keep_hidden, args=(records, done), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def _keep_hidden(self, records: Sequence[dict[str, Any]], done: threading.Event) -> None:
        seconds = self._queue.visibility_seconds
        for _ in range(int(_LONGEST_WORK * 3 / max(seconds, 1))):
            if done.wait(seconds / 3):
                return
            try:
                self._queue.hide(records, seconds)
            except (BotoCoreError, ClientError) as error:
                _log.warning("messages under work may be seen by others", extra={"reason": str(error)})
        done.wait()
