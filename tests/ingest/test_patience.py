"""Trouble that may pass is noted, tried again at growing intervals, and given up in the end."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event, update
from sqlalchemy.exc import DBAPIError

from functions.ingest.handler import handle
from shared.database import make_engine, make_session_factory, read, utc_now, write
from shared.errors import StoreError, StoreUnavailableError
from shared.index.failures import UNAVAILABLE, ask_retry, keys_to_retry
from shared.index.models import Failure
from shared.ingest.patience import TRANSIENT, note_trouble, settle_or_defer
from shared.ingest.service import Ingester, Outcome
from shared.settings import Settings
from shared.simulator import simulate_frame
from shared.store.client import Store
from tests.ingest.conftest import Room

KEY = "a.fits"
FRAME = simulate_frame().data


@pytest.fixture
def without_derived(room: Room) -> Iterator[Ingester]:
    """An ingester whose store answers, but takes no derived objects: their bucket has no name for one."""
    settings = room.settings.model_copy(update={"derived_bucket": "no bucket", "retry_attempts": 3})
    store = Store(settings)
    yield Ingester(settings, store, room.sessions)
    store.s3.close()


def deferred(room: Room) -> Failure:
    failure = room.failure(KEY)
    assert failure is not None
    assert (failure.kind, failure.etag, failure.version_id, failure.size) == (UNAVAILABLE, None, None, None)
    return failure


def make_due(room: Room) -> None:
    with write(room.sessions) as session:
        session.execute(update(Failure).values(retry_at=utc_now() - dt.timedelta(seconds=1)))


def due(room: Room) -> list[str]:
    with read(room.sessions) as session:
        return list(keys_to_retry(session, room.settings.bucket))


def test_it_is_tried_at_growing_intervals_and_given_up(room: Room, without_derived: Ingester) -> None:
    room.put(KEY, FRAME)
    waits = []
    for attempts in (1, 2):
        begin = utc_now()
        assert settle_or_defer(without_derived, room.settings.bucket, KEY) is Outcome.DEFERRED
        failure = deferred(room)
        assert failure.attempts == attempts
        assert "no bucket" in failure.message
        assert failure.retry_at is not None
        waits.append((failure.retry_at - begin).total_seconds())
        assert due(room) == []
        make_due(room)
        assert due(room) == [KEY]
    assert 0.9 < waits[0] < waits[1] + 1
    assert settle_or_defer(without_derived, room.settings.bucket, KEY) is Outcome.DEFERRED
    failure = deferred(room)
    assert (failure.attempts, failure.retry_at) == (3, None)
    assert due(room) == []
    assert room.frame(KEY) is None
    with write(room.sessions) as session:
        assert ask_retry(session, failure.id) is not None
    assert settle_or_defer(without_derived, room.settings.bucket, KEY) is Outcome.DEFERRED
    assert deferred(room).attempts == 1


def test_it_is_a_frame_as_soon_as_the_trouble_has_passed(room: Room, without_derived: Ingester) -> None:
    room.put(KEY, FRAME)
    settle_or_defer(without_derived, room.settings.bucket, KEY)
    assert room.settle(KEY) == "indexed"
    assert room.failure(KEY) is None


def test_a_frame_stays_while_its_replacement_cannot_be_read(room: Room, without_derived: Ingester) -> None:
    room.put(KEY, FRAME)
    room.settle(KEY)
    room.put(KEY, simulate_frame(OBJECT="M 67").data)
    assert settle_or_defer(without_derived, room.settings.bucket, KEY) is Outcome.DEFERRED
    assert room.frame(KEY) is not None
    deferred(room)
    assert room.settle(KEY) == "indexed"
    assert room.failure(KEY) is None


def test_nothing_is_counted_while_the_store_is_away(room: Room) -> None:
    away = Settings(_env_file=None, s3_endpoint_url="http://127.0.0.1:9", s3_access_key="x", s3_secret_key="y")
    ingester = Ingester(room.settings, Store(away), room.sessions)
    with pytest.raises(StoreUnavailableError):
        settle_or_defer(ingester, room.settings.bucket, KEY)
    assert room.failure(KEY) is None


def test_a_webhook_is_not_held_up_by_one_object(room: Room, without_derived: Ingester) -> None:
    room.put(KEY, FRAME)
    room.put("junk.fits", b"junk")
    event = {"Records": [*_records(room, KEY), *_records(room, "junk.fits")]}
    assert handle(event, without_derived, defers=True) == {"outcomes": ["deferred", "failed"]}
    with pytest.raises(StoreError, match="no bucket"):
        handle(event, without_derived)


def test_what_a_queue_gives_up_is_among_the_failures(room: Room, without_derived: Ingester) -> None:
    room.put(KEY, FRAME)
    room.put("junk.fits", b"junk")
    body = json.dumps({"Records": [*_records(room, KEY), *_records(room, "junk.fits")]})
    for count in range(1, 6):
        record = {"eventSource": "aws:sqs", "messageId": "m", "body": body}
        batch = {"Records": [record | {"attributes": {"ApproximateReceiveCount": str(count)}}]}
        assert handle(batch, without_derived) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
        failure = deferred(room)
        assert (failure.attempts, failure.retry_at) == (count, None)
    assert room.failure("junk.fits") is not None


def test_a_database_that_is_away_is_no_failure_of_the_function(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    engine = make_engine("postgresql+psycopg://x@127.0.0.1:9/x")
    ingester = Ingester(room.settings, room.store, make_session_factory(engine))
    record = {"eventSource": "aws:sqs", "messageId": "m", "body": json.dumps({"Records": _records(room, KEY)})}
    assert handle({"Records": [record]}, ingester) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert "not noted" in caplog.text
    engine.dispose()


def test_nor_is_one_whose_connections_are_all_taken(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    engine = create_engine(room.database_url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    ingester = Ingester(room.settings, room.store, make_session_factory(engine))
    record = {"eventSource": "aws:sqs", "messageId": "m", "body": json.dumps({"Records": _records(room, KEY)})}
    with engine.connect():
        assert handle({"Records": [record]}, ingester) == {"batchItemFailures": [{"itemIdentifier": "m"}]}
        with pytest.raises(TRANSIENT, match="QueuePool limit"):
            settle_or_defer(ingester, room.settings.bucket, KEY)
    assert "not noted" in caplog.text
    engine.dispose()


@pytest.mark.parametrize("act", [lambda room: room.settle(KEY), lambda room: room.settle(KEY, force=True)])
def test_a_note_of_trouble_ends_with_the_trouble(room: Room, act: Callable[[Room], str]) -> None:
    room.put(KEY, FRAME)
    room.settle(KEY)
    note_trouble(room.ingester, KEY, OSError("no room"), 4)
    assert deferred(room).message == "no room"
    assert act(room) == "indexed"
    assert room.failure(KEY) is None


def test_a_database_that_goes_while_an_object_is_read_is_no_failure_of_the_object(
    make_room: Callable[..., Room], postgres: str
) -> None:
    room = make_room(postgres)
    room.put(KEY, FRAME)
    with _connection_lost(room, postgres, before="DELETE FROM attempts"), pytest.raises(DBAPIError):
        room.settle(KEY)
    assert room.failure(KEY) is None
    assert room.settle(KEY) == "indexed"


@contextmanager
def _connection_lost(room: Room, server: str, *, before: str) -> Iterator[None]:
    """Let the server end the connection over which the first such statement is about to go."""
    engine, admin = room.sessions.kw["bind"], make_engine(server)
    killed: list[int] = []

    def kill(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(before) and not killed:
            killed.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
            with admin.connect() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({killed[0]}, 5000)")

    event.listen(engine, "before_cursor_execute", kill)
    yield
    event.remove(engine, "before_cursor_execute", kill)
    admin.dispose()
    assert killed


def _records(room: Room, key: str) -> list[dict[str, Any]]:
    names = {"bucket": {"name": room.settings.bucket}, "object": {"key": key}}
    return [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": names}]
