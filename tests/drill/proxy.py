"""What stands between the store's webhook and the ingest workers, and cannot be trusted."""

import asyncio
import json
import random
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.errors import EventError
from shared.events.reader import read_event
from tests.archive import wait_until
from tests.drill.plan import Tally

__all__ = ["DEFAULT_CHAOS", "Chaos", "Proxy"]

_LONGEST_COPY = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """How likely each mischief is, and how long the longest delay, in seconds."""

    drop: float = 0.05
    delay: float = 0.15
    duplicate: float = 0.10
    forget_answer: float = 0.02
    longest_delay: float = 20.0


DEFAULT_CHAOS = Chaos()


@dataclass(frozen=True, slots=True)
class _Event:
    number: int
    body: bytes
    headers: dict[str, str]
    objects: tuple[str, ...]


class Proxy:
    """Takes events at ``/events``, and hands them on as badly as `Chaos` says, to workers chosen at random."""

    def __init__(self, port: int, workers: Sequence[str], chaos: Chaos, random: random.Random, tally: Tally) -> None:
        self._workers = workers
        self._chaos = chaos
        self._random = random
        self._tally = tally
        self._events: list[_Event] = []
        self._handed_on: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last = time.monotonic()
        self._stalled_until = 0.0
        app = Starlette(
            routes=[Route("/{path:path}", self._take, methods=["GET", "HEAD", "POST"])], lifespan=self._lifespan
        )
        self._server = uvicorn.Server(
            uvicorn.Config(app, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=2)
        )
        self._thread = threading.Thread(target=self._server.run, name="proxy", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        wait_until("the proxy listens", lambda: self._server.started)

    def stop(self) -> None:
        """End; what is held back is not handed on any more."""
        self._server.should_exit = True
        self._thread.join(20)

    def stall(self, seconds: float) -> None:
        """Take no event for a while: half of them wait for their answer, the others are refused late."""
        self._stalled_until = time.monotonic() + seconds

    def is_quiet(self, seconds: float) -> bool:
        """Tell whether nothing has come or was held back for so long."""
        return not self._tasks and time.monotonic() - self._last > seconds

    def replay(self, number: int) -> None:
        """Hand on events that came once again, long after they were true, and wait for the last answer."""
        for event in self._random.choices(self._events, k=number) if self._events else ():
            self._loop.call_soon_threadsafe(self._spawn, event, 0.0)
            time.sleep(0.002)
            self._tally.add("events handed on once more after reconcile")
        time.sleep(0.1)
        wait_until("all replayed events are answered", lambda: not self._tasks, 120)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=0)
        async with httpx.AsyncClient(trust_env=False, timeout=120, limits=limits) as self._client:
            yield
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, request: Request) -> Response:
        if request.method != "POST":
            return Response()
        body = await request.body()
        self._last = time.monotonic()
        if (held := self._stalled_until - time.monotonic()) > 0:
            refused = self._random.random() < 0.5
            await asyncio.sleep(min(held, 3.0) if refused else held)
            if refused:
                self._tally.add("events refused while the queue was filled")
                return Response(status_code=503)
            self._tally.add("events held up while the queue was filled")
        event = self._event(body, request)
        return Response(status_code=await self._decide(event))

    def _event(self, body: bytes, request: Request) -> _Event:
        headers = {name: request.headers[name] for name in ("authorization", "content-type") if name in request.headers}
        event = _Event(len(self._events), body, headers, _objects(body))
        self._tally.add("events that came from the store")
        self._events.append(event)
        return event

    async def _decide(self, event: _Event) -> int:
        chaos, thrown = self._chaos, self._random.random()
        if thrown < chaos.drop:
            self._tally.add("events dropped")
            return 200
        if (thrown := thrown - chaos.drop) < chaos.delay:
            self._tally.add("events delayed")
            self._spawn(event, self._random.uniform(0.2, chaos.longest_delay))
            return 200
        if (thrown := thrown - chaos.delay) < chaos.duplicate:
            for _ in range(self._random.randrange(1, 4)):
                self._tally.add("copies of events")
                self._spawn(event, self._random.choice((0.0, self._random.uniform(0.0, _LONGEST_COPY))))
        status = await self._hand_on(event)
        if (thrown - chaos.duplicate) < chaos.forget_answer and thrown >= chaos.duplicate:
            self._tally.add("events settled and yet answered with an error")
            return 503
        return status

    def _spawn(self, event: _Event, seconds: float) -> None:
        task = asyncio.get_running_loop().create_task(self._later(event, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, event: _Event, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if await self._hand_on(event) >= 500:
            self._tally.add("delayed events and copies lost, for nobody sends them again")

    async def _hand_on(self, event: _Event) -> int:
        for object_ in event.objects:
            if self._handed_on.get(object_, -1) > event.number:
                self._tally.add("events handed on after a later one of the same object")
                break
        self._handed_on |= {object_: max(event.number, self._handed_on.get(object_, -1)) for object_ in event.objects}
        status = await self._post(event)
        self._last = time.monotonic()
        if status >= 400:
            self._tally.add(f"events answered with {status}")
        return status

    async def _post(self, event: _Event) -> int:
        """Hand the event to one of the workers that listen, as a load balancer does."""
        for worker in self._random.sample(self._workers, len(self._workers)):
            try:
                answer = await self._client.post(worker, content=event.body, headers=event.headers)
            except httpx.ConnectError:
                continue
            except (httpx.HTTPError, AttributeError):  # anyio raises the latter where a fresh connection is reset
                self._tally.add("events whose worker died of it")
                return 503
            return answer.status_code
        self._tally.add("events when no worker listened")
        return 503


def _objects(body: bytes) -> tuple[str, ...]:
    try:
        return tuple(event.key for event in read_event(json.loads(body)).events)
    except (EventError, ValueError):
        return ()
