"""Workers of a NATS JetStream: any number of processes share one stream, and hand its messages to the function.

A message is acknowledged once its object's row is written. One that fails is given out again, later each time, to
whoever comes first. One that fails as often as the settings allow goes to the stream of dead letters, unless store or
database are away as a whole: then no message is to blame.
"""

import asyncio
import logging
import random
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext

from localstack.handing import Handle, unsettled
from localstack.ingest_metrics import IngestMetrics
from localstack.jetstream import Stream, connected, record_of
from shared.backoff import delay
from shared.settings import Settings

__all__ = ["JetStreamPoller"]

_log = logging.getLogger("fitsvault.queue")
_POLL_SECONDS = 2.0
_FIRST_DELAY = 2.0
_LONGEST_DELAY = 900.0
_LONGEST_PAUSE = 60.0
_LONGEST_WORK = 6 * 3600.0
_PATIENCE = 15.0


class JetStreamPoller:
    """Fetches messages in a thread of its own, from ``start`` to ``stop``, and works on some of them at once.

    Parameters
    ----------
    handle
        The function: takes an SQS event, answers ``batchItemFailures``.
    is_well
        Tells whether store and database answer as such.
    """

    def __init__(self, settings: Settings, handle: Handle, is_well: Callable[[], bool], metrics: IngestMetrics) -> None:
        self._settings = settings
        self._stream = Stream.of(settings)
        self._handle = handle
        self._is_well = is_well
        self._metrics = metrics
        self._workers = settings.ingest_workers
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="jetstream")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="jetstream", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End once the messages at work are done, or after some patience: then others get them."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        in_vain = 0
        while not self._stop.is_set():
            try:
                async with connected(self._settings) as client:
                    jetstream = client.jetstream()
                    await self._stream.ensure(jetstream)
                    in_vain = 0
                    await self._work_all(jetstream)
            except (NatsError, OSError) as error:
                in_vain += 1
                _log.error("queue is away", extra={"queue": self._stream.name, "reason": str(error)})
                await self._pause(in_vain, _LONGEST_PAUSE)
            except Exception:  # noqa: BLE001 - it is logged, and messages are taken all the same
                in_vain += 1
                _log.exception("queue is away")
                await self._pause(in_vain, _LONGEST_PAUSE)

    async def _work_all(self, jetstream: JetStreamContext) -> None:
        subscription = await self._stream.subscribe(jetstream)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work(jetstream, subscription))

    async def _work(self, jetstream: JetStreamContext, subscription: JetStreamContext.PullSubscription) -> None:
        in_vain = 0
        while not self._stop.is_set():
            try:
                messages = await subscription.fetch(1, timeout=_POLL_SECONDS)
            except NatsTimeoutError:
                continue
            except NatsError as error:
                in_vain += 1
                _log.error("queue is away", extra={"queue": self._stream.name, "reason": str(error)})
                await self._pause(in_vain, _LONGEST_PAUSE)
                with suppress(NatsError):  # somebody may have taken the stream away
                    await self._stream.ensure(jetstream)
                continue
            in_vain = 0
            for message in messages:
                await self._take(jetstream, message)

    async def _take(self, jetstream: JetStreamContext, message: Msg) -> None:
        """Work on one message, and tell the stream what became of it; if that fails it comes again."""
        with suppress(NatsError):
            if self._stop.is_set():
                await message.nak()
                return
            with self._metrics.event(since=message.metadata.timestamp.timestamp()):
                async with _hidden(message, self._stream.ack_seconds):
                    is_settled = await asyncio.get_running_loop().run_in_executor(self._threads, self._settle, message)
                if is_settled:
                    await message.ack_sync()
                    self._metrics.count_event("settled")
                else:
                    await self._fail(jetstream, message)

    def _settle(self, message: Msg) -> bool:
        return not unsettled(self._handle, [record_of(message)])

    async def _fail(self, jetstream: JetStreamContext, message: Msg) -> None:
        """Have the message come again, or give it up."""
        attempts = message.metadata.num_delivered
        is_last = attempts >= self._settings.retry_attempts
        if is_last and await asyncio.get_running_loop().run_in_executor(self._threads, self._is_well):
            sequence = message.metadata.sequence.stream
            headers = {"Nats-Msg-Id": f"{self._stream.name}:{sequence}", "Fitsvault-Attempts": str(attempts)}
            await jetstream.publish(self._stream.dead_subject, message.data, headers=headers)
            await message.ack_sync()
            self._metrics.count_event("dead")
            _log.error("message given up", extra={"queue": self._stream.dead_name, "attempts": attempts})
            return
        await message.nak(delay(attempts, base=_FIRST_DELAY, cap=_LONGEST_DELAY, random=random.random()))  # noqa: S311
        self._metrics.count_event("failed")

    async def _pause(self, in_vain: int, longest: float) -> None:
        pause = delay(in_vain, base=1.0, cap=longest, random=random.random())  # noqa: S311
        await asyncio.to_thread(self._stop.wait, pause)


@asynccontextmanager
async def _hidden(message: Msg, seconds: float) -> AsyncIterator[None]:
    """Keep a message hidden from others as long as it is worked on, but not for ever."""

    async def keep() -> None:
        for _ in range(int(_LONGEST_WORK * 3 / seconds)):
            await asyncio.sleep(seconds / 3)
            with suppress(NatsError):
                await message.in_progress()

    keeper = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeper.cancel()
