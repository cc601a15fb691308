"""Metrics of a process for Prometheus: of the API how it answers, of any the state of process and archive.

Labels hold nothing that a client chooses: routes are our templates, methods are words of a list.
"""

import time

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from sqlalchemy.orm import Session, sessionmaker
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.api.envelope import ASKED_METHOD
from localstack.index_metrics import IndexCollector

__all__ = ["SECONDS", "make_registry", "meter", "rendered"]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of what latencies are counted by."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def make_registry(sessions: sessionmaker[Session], bucket: str) -> CollectorRegistry:
    """Return a registry that tells of this process and of the index."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(IndexCollector(sessions, bucket))
    return registry


def rendered(registry: CollectorRegistry) -> tuple[bytes, str]:
    """Return all metrics as text, and its type."""
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


def meter(app: FastAPI) -> FastAPI:
    """Have the API count and time its answers, and show that at ``/metrics``."""
    services = app.state.services
    registry = make_registry(services.sessions, services.settings.bucket)
    # Innermost: within the envelope, which gives the routes a scope of their own.
    app.user_middleware.append(Middleware(_Metered, requests=_Requests(registry)))
    app.state.metrics = lambda: rendered(registry)
    return app


class _Requests:
    """What is counted of requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.under_way = Gauge("fitsvault_http_requests_under_way", "Requests under way.", registry=registry)
        self.answers = Counter(
            "fitsvault_http_requests", "Requests that were answered.", ["method", "route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "fitsvault_http_seconds",
            "Time until an answer begins.",
            ["method", "route"],
            buckets=SECONDS,
            registry=registry,
        )


class _Metered:
    def __init__(self, app: ASGIApp, requests: _Requests) -> None:
        self.app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], time.perf_counter() - begun)
            await send(message)

        with self._requests.under_way.track_inprogress():
            try:
                await self.app(scope, receive, count)
            except Exception:
                self._count(scope, 500, time.perf_counter() - begun)
                raise

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope.get(ASKED_METHOD, scope["method"])
        labels = method if method in _METHODS else "other", _route_of(scope)
        self._requests.answers.labels(*labels, str(status)).inc()
        self._requests.seconds.labels(*labels).observe(seconds)


def _route_of(scope: Scope) -> str:
    """Return the template of the path, such as ``/frames/{frame_id:digits}/``; ``none`` where no route matched."""
    route = scope.get("route")
    return str(getattr(route, "path", "none"))
