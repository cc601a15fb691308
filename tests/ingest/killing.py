"""Runs the ingest function in a process of its own that is killed at a chosen point in the order of its writes.

The tests' ``conftest.py`` has it imported before processes are forked.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import functions.ingest.handler as handler
import shared.ingest.entries as entries
from shared.database import make_engine, make_session_factory
from shared.ingest.service import Ingester
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["Point", "handle_and_die"]

_SECONDS = 60.0


@dataclass(frozen=True)
class Point:
    """Before or after the n-th call of a function that writes."""

    where: str
    when: str
    call: int = 1

    def __str__(self) -> str:
        return f"{self.when}-{self.where}-{self.call}"


_WRITERS: Mapping[str, tuple[Any, str]] = {
    "derived object": (Store, "write_bytes"),
    "frame row": (entries, "put_frame"),
    "frame row removal": (entries, "remove_frame"),
    "failure record": (entries, "record_failure"),
    "deferral": (entries, "record_unavailable"),
    "transaction": (entries.Entries, "_drop_superseded"),
    "derived deletion": (Store, "delete"),
    "note of deletion": (entries, "end_superseded"),
    "acknowledgement": (handler, "handle"),
}
"""Before the method that follows a transaction is after its commit."""


def handle_and_die(settings: Settings, database_url: str, event: dict[str, Any], point: Point) -> int | None:
    """Let a process take the event, and return its exit code: -9 if it was killed where it should be."""
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=_work, args=(settings, database_url, event, point))
    process.start()
    process.join(_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        raise TimeoutError(str(point))
    return process.exitcode


def _work(settings: Settings, database_url: str, event: dict[str, Any], point: Point) -> None:
    owner, name = _WRITERS[point.where]
    setattr(owner, name, _deadly(getattr(owner, name), point))
    ingester = Ingester(settings, Store(settings), make_session_factory(make_engine(database_url)))
    handler.handle(event, ingester, defers=True)


def _deadly(function: Callable[..., Any], point: Point) -> Callable[..., Any]:
    calls = 0

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == point.call and point.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if calls == point.call and point.when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call
