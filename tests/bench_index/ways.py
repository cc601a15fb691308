"""A request answered in three ways: over HTTP, by the index's functions in this process, by the predecessor's."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read
from shared.index.facet_counts import facet_counts
from shared.index.pages import walk_frames
from shared.index.parameters import parse_filter, parse_query
from shared.index.query import aggregate, get_frame, list_frames, related_frames
from shared.index.selection import FrameFilter
from shared.index.sky_map import sky_map
from shared.index.years import year_of_nights
from tests.bench_index import predecessor
from tests.bench_index.queries import Request

__all__ = ["answer_by_index", "answer_by_predecessor", "limited", "rows_of", "statements_of"]

_FRAMES, _AGGREGATE = "/frames/", "/frames/aggregate/"
_OVERVIEWS: dict[str, Callable[[Session, FrameFilter], object]] = {
    "/frames/facets/": facet_counts,
    "/frames/nights/": lambda session, wanted: year_of_nights(session, wanted, None),
    "/frames/sky/": sky_map,
}


def answer_by_index(sessions: sessionmaker[Session], request: Request) -> None:
    """Ask the functions that the API asks, in a transaction of its own."""
    parameters = request.parameters.items()
    with read(sessions) as session:
        if request.path == _AGGREGATE:
            aggregate(session, parse_filter(parameters))
        elif request.path in _OVERVIEWS:
            _OVERVIEWS[request.path](session, parse_filter(parameters))
        elif request.path == _FRAMES:
            query = parse_query(parameters)
            _ = list_frames(session, query) if query.cursor is None else walk_frames(session, query)
        else:
            frame_id = _frame_id(request)
            get_frame(session, frame_id)
            if request.path.endswith("/related/"):
                related_frames(session, frame_id)


def answer_by_predecessor(connection: Connection, request: Request) -> None:
    """Send the predecessor's statements; a keyset page, which it has not, is a page by OFFSET there.

    Ids go up with time but for the reduced frames of a night, so that the id tells about how many frames come before.
    """
    if request.path == _AGGREGATE:
        predecessor.aggregate(connection, parse_filter(request.parameters.items()))
    elif request.path == _FRAMES:
        query = parse_query(request.parameters.items())
        position = query.cursor.position if query.cursor is not None else None
        predecessor.page(connection, query if position is None else replace(query, offset=position.id))
    elif request.path.endswith("/related/"):
        predecessor.related(connection, _frame_id(request))
    else:
        predecessor.one_frame(connection, _frame_id(request))


def rows_of(body: bytes) -> int:
    """Return how many frames or options an answer holds."""
    document = json.loads(body)
    if isinstance(document, list):
        return len(document)
    if "results" in document:
        return len(document["results"])
    return sum(len(part) for part in document.values() if isinstance(part, list)) if _is_list(document) else 1


def _is_list(document: Mapping[str, Any]) -> bool:
    return any(name in document for name in ("imagetypes", "nights", "marks"))


@contextmanager
def statements_of(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """Give a list that grows by the statements that are sent meanwhile, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def limited(engine: Engine, seconds: float) -> Iterator[Connection]:
    """Give a connection on which a statement that takes longer is broken off; on SQLite all of them together."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection):
            deadline = time.monotonic() + 2.0 * seconds
            raw.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
        else:
            connection.execute(text(f"SET statement_timeout = {int(1000 * seconds)}"))
        try:
            yield connection
        finally:
            connection.invalidate()


def _frame_id(request: Request) -> int:
    return int(request.path.split("/")[2])
