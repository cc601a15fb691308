"""The ingest function's host on one machine: takes the store's webhook; what else runs beside it are threads.

The answer to an event comes after its object is settled, so the store's own retries cover what fails here.
"""

import asyncio
import hmac
import itertools
import json
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from functions.api.probes import health_answer
from functions.ingest.handler import handle
from localstack.backups import BackupThread
from localstack.bodies import BodyError, read_body
from localstack.bundler import BundleThread
from localstack.dispatcher import DispatchThread
from localstack.ingest_metrics import IngestMetrics, MeteredIngester
from localstack.jetstream_poller import JetStreamPoller
from localstack.queue import Queue
from localstack.queue_poller import QueuePoller
from localstack.readiness import Readiness
from localstack.repeated import Repeated
from localstack.state import StartError
from localstack.sweeper import Sweeper
from shared.backoff import delay
from shared.database import make_engine, make_session_factory, reason_of
from shared.errors import EventError
from shared.events.model import EventReading
from shared.events.reader import read_event
from shared.ingest.patience import TRANSIENT
from shared.logs import traced
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["HOLD_SECONDS", "MAX_EVENT_BYTES", "make_ingest_host"]

_log = logging.getLogger("fitsvault.host")
MAX_EVENT_BYTES = 4 << 20
_BODY_SECONDS = 30.0
_RESULTS = {200: "settled", 503: "failed"}
HOLD_SECONDS = 240.0
"""How long an event is held while store or index are away; SeaweedFS waits for at most 300 s."""


class _Host:
    def __init__(self, settings: Settings) -> None:
        if settings.event_secret is None:
            raise StartError("the ingest host takes no events without FITSVAULT_EVENT_SECRET")
        self._settings = settings
        self._secret = settings.event_secret.get_secret_value()
        sessions = make_session_factory(make_engine(settings.effective_database_url, name="fitsvault-ingest"))
        self.metrics = IngestMetrics(sessions, settings.bucket)
        self._ingester = MeteredIngester(settings, Store(settings), sessions, self.metrics)
        self._workers = anyio.CapacityLimiter(settings.ingest_workers)
        self._is_stopping = asyncio.Event()
        self._locks: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}
        self._readiness = Readiness(settings, sessions)
        self._dispatcher = DispatchThread(settings, sessions)
        self._background: list[Sweeper | QueuePoller | JetStreamPoller | Repeated] = [
            Sweeper(settings, sessions),
            self._dispatcher,
            BundleThread(settings, sessions),
            BackupThread(settings, sessions),
        ]
        if settings.queue_url is not None:
            queue = Queue(settings.queue_url, settings)
            self._background.append(QueuePoller(queue, self._take_batch, workers=settings.ingest_workers))
        if settings.nats_url is not None:
            self._background.append(JetStreamPoller(settings, self._take_batch, self._is_well, self.metrics))

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        for work in self._background:
            work.start()
        yield
        self.let_go()
        async with anyio.create_task_group() as group:
            for work in self._background:
                group.start_soon(anyio.to_thread.run_sync, work.stop)
        self._readiness.close()

    def let_go(self) -> None:
        """Answer the events that are held, at once: we are about to end."""
        self._is_stopping.set()

    async def take(self, request: Request) -> JSONResponse:
        """Take one event: 401, 403, 413 and 400 for what is none of ours, 503 for what a retry can cure."""
        refusal = self._refuse(request)
        if refusal is not None:
            self.metrics.count_event("refused")
            return refusal
        with self.metrics.event(), traced(None):
            answer = await self._read(request)
        self.metrics.count_event(_RESULTS.get(answer.status_code, "refused"))
        return answer

    async def _read(self, request: Request) -> JSONResponse:
        try:
            event = json.loads(await read_body(request, limit=MAX_EVENT_BYTES, seconds=_BODY_SECONDS))
            reading = read_event(event)
        except BodyError as error:
            return _refused(error.status, str(error))
        except (ValueError, RecursionError, EventError) as error:
            return _refused(400, str(error))
        return await self._take(event, reading)

    async def _take(self, event: dict[str, Any], reading: EventReading) -> JSONResponse:
        if any(hint.bucket != self._settings.bucket for hint in reading.events):
            return _refused(403, "The event is about a bucket that is not the archive's.")
        keys = sorted({(hint.bucket, hint.key) for hint in reading.events})
        try:
            return JSONResponse(await self._settle_in_time(event, keys))
        except EventError as error:
            return _answer(400, str(error))
        except TRANSIENT as error:
            _log.error("event not settled", extra={"keys": [key for _, key in keys], "reason": reason_of(error)})
            return _answer(503, "Not settled; try again.")
        finally:
            self._dispatcher.wake()

    def _take_batch(self, event: dict[str, Any]) -> dict[str, Any]:
        try:
            return handle(event, self._ingester)
        finally:
            self._dispatcher.wake()

    def _is_well(self) -> bool:
        """Tell whether store and index answer, so that an event that fails is to blame itself."""
        return all(state == "ok" for state in self._readiness.states().values())

    async def health(self, _request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    def ready(self, _request: Request) -> Response:
        """Tell whether store, index and all threads are at work, and what is wrong if not."""
        return health_answer(self._readiness.states())

    def show_metrics(self, request: Request) -> Response:
        """Show figures to whoever may post events, or has the metrics token."""
        token = self._settings.metrics_token
        known = [self._secret, *([token.get_secret_value()] if token is not None else [])]
        given = request.headers.get("authorization", "").encode()
        if not any(hmac.compare_digest(given, f"Bearer {one}".encode()) for one in known):
            return _answer(401, "The figures need a token.")
        body, content_type = self.metrics.rendered()
        return Response(body, media_type=content_type)

    def _refuse(self, request: Request) -> JSONResponse | None:
        given = request.headers.get("authorization", "")
        if not given:
            return _refused(401, "An event needs the shared secret.")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._secret}".encode()):
            return _refused(401, "The shared secret is wrong.")
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_EVENT_BYTES:
            return _refused(413, "The event is too large.")
        return None

    async def _settle_in_time(self, event: dict[str, Any], keys: list[tuple[str, str]]) -> dict[str, Any]:
        """Try again while store or index are away: not every store sends an event again that was not taken."""
        deadline = time.monotonic() + HOLD_SECONDS
        for attempt in itertools.count(1):
            try:
                return await self._settle(event, keys)
            except EventError:
                raise
            except TRANSIENT:
                pause = delay(attempt, base=0.5, cap=15.0, random=random.random())  # noqa: S311
                if time.monotonic() + pause > deadline or await self._stops_within(pause):
                    raise
        raise AssertionError

    async def _stops_within(self, seconds: float) -> bool:
        with anyio.move_on_after(seconds):
            await self._is_stopping.wait()
        return self._is_stopping.is_set()

    async def _settle(self, event: dict[str, Any], keys: list[tuple[str, str]]) -> dict[str, Any]:
        """Run the function once no other event of the same objects is at work: of twenty copies one does the work."""
        async with self._alone(keys):
            return await anyio.to_thread.run_sync(
                partial(handle, event, self._ingester, defers=True), limiter=self._workers
            )

    @asynccontextmanager
    async def _alone(self, keys: list[tuple[str, str]]) -> AsyncIterator[None]:
        held = []
        for key in keys:
            lock, users = self._locks.get(key, (asyncio.Lock(), 0))
            self._locks[key] = (lock, users + 1)
            held.append((key, lock))
        taken = []
        try:
            for _, lock in held:
                await lock.acquire()
                taken.append(lock)
            yield
        finally:
            for lock in reversed(taken):
                lock.release()
            for key, lock in held:
                users = self._locks[key][1] - 1
                if users:
                    self._locks[key] = (lock, users)
                else:
                    del self._locks[key]


def make_ingest_host(settings: Settings) -> Starlette:
    """Return the web application that takes events at ``/events`` from whoever knows the secret of the settings.

    ``state.let_go()``, called in its event loop, has it answer the events that it holds, as its lifespan's end does:
    a server that waits for answers first must call it before.
    """
    host = _Host(settings)
    app = Starlette(
        routes=[
            Route("/events", host.take, methods=["POST"]),
            Route("/health", host.health),
            Route("/health/live", host.health),
            Route("/health/ready", host.ready),
            Route("/metrics", host.show_metrics),
        ],
        lifespan=host.lifespan,
    )
    app.state.let_go = host.let_go
    return app


def _refused(status: int, detail: str) -> JSONResponse:
    _log.error("event refused", extra={"status": status, "reason": detail})
    return _answer(status, detail)


def _answer(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status_code=status)
