"""Failures: counted for one object, begun anew for another, listed and walked."""

import threading
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.index.failures import clear_failure, find_failure, list_failures, record_failure, walk_failures
from shared.index.models import Failure
from shared.index.record import FailureRecord


def make_failure(**overrides: Any) -> FailureRecord:
    values: dict[str, Any] = {"bucket": "frames", "key": "a/b.fits", "version_id": None, "etag": "e1", "size": 100}
    return FailureRecord(**(values | {"kind": "truncated", "message": "ends after 100 bytes"} | overrides))


def record(factory: sessionmaker[Session], failure: FailureRecord) -> int:
    with write(factory) as session:
        return record_failure(session, failure)


def found(factory: sessionmaker[Session], key: str = "a/b.fits") -> Failure:
    with read(factory) as session:
        failure = find_failure(session, "frames", key)
    assert failure is not None
    return failure


def test_a_failure_is_kept_as_told(factory: sessionmaker[Session]) -> None:
    failure_id = record(factory, make_failure(version_id="v1"))
    failure = found(factory)
    assert (failure.id, failure.etag, failure.version_id, failure.size) == (failure_id, "e1", "v1", 100)
    assert (failure.kind, failure.message, failure.attempts) == ("truncated", "ends after 100 bytes", 1)
    assert failure.first_at == failure.last_at


@pytest.mark.parametrize("etag", ["e1", None])
def test_another_attempt_counts_up(factory: sessionmaker[Session], etag: str | None) -> None:
    first_id = record(factory, make_failure(etag=etag))
    first = found(factory)
    assert record(factory, make_failure(etag=etag, kind="bad-data", message="other words")) == first_id
    again = found(factory)
    assert (again.attempts, again.kind, again.message) == (2, "bad-data", "other words")
    assert again.first_at == first.first_at
    assert again.last_at > first.last_at


@pytest.mark.parametrize(("before", "after"), [("e1", "e2"), (None, "e1"), ("e1", None)])
def test_another_object_begins_anew(factory: sessionmaker[Session], before: str | None, after: str | None) -> None:
    record(factory, make_failure(etag=before))
    record(factory, make_failure(etag=before))
    first = found(factory)
    record(factory, make_failure(etag=after))
    again = found(factory)
    assert (again.id, again.etag, again.attempts) == (first.id, after, 1)
    assert again.first_at == again.last_at
    assert again.first_at > first.last_at


def test_a_failure_is_cleared_once(factory: sessionmaker[Session]) -> None:
    record(factory, make_failure())
    with write(factory) as session:
        assert not clear_failure(session, "other", "a/b.fits")
        assert clear_failure(session, "frames", "a/b.fits")
        assert not clear_failure(session, "frames", "a/b.fits")
        assert find_failure(session, "frames", "a/b.fits") is None


def test_what_no_database_could_hold_is_mended(factory: sessionmaker[Session]) -> None:
    record(factory, make_failure(message="NUL \0 and \ud800" + "x" * 10_000, size=2**80))
    failure = found(factory)
    assert failure.message.startswith("NUL \ufffd and \ufffdxxx")
    assert (len(failure.message), failure.size) == (2000, None)


def test_listing_is_latest_first_and_filtered(factory: sessionmaker[Session]) -> None:
    keys = ["a/1", "b/1", "a/%", "a/2", "c"]
    for key in keys:
        record(factory, make_failure(key=key, kind="not-fits" if key == "b/1" else "truncated"))
    with read(factory) as session:

        def listed(**options: Any) -> tuple[int, list[str]]:
            number, failures = list_failures(session, **({"limit": 100, "offset": 0} | options))
            return number, [failure.key for failure in failures]

        assert listed() == (5, keys[::-1])
        assert listed(limit=2, offset=1) == (5, ["a/2", "a/%"])
        assert listed(limit=0) == (5, [])
        assert listed(offset=2**63) == (5, [])
        assert listed(kind="not-fits") == (1, ["b/1"])
        assert listed(prefix="a/") == (3, ["a/2", "a/%", "a/1"])
        assert listed(prefix="a/%", kind="truncated") == (1, ["a/%"])
        assert listed(prefix="\U0010ffff") == (0, [])


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_walk_is_in_byte_order(factory: sessionmaker[Session], batch: int) -> None:
    keys = ["b", "a/2", "a", "é", "A", "\uffff", "\U0001f52d"]
    for key in keys:
        record(factory, make_failure(key=key, etag=key.upper()))
    walked = [(item.key, item.etag) for item in walk_failures(factory, "frames", batch=batch)]
    assert walked == [(key, key.upper()) for key in sorted(keys, key=str.encode)]
    assert [item.key for item in walk_failures(factory, "frames", prefix="a", after="a")] == ["a/2"]


def test_attempts_at_once_are_all_counted(factory: sessionmaker[Session]) -> None:
    threads = [threading.Thread(target=record, args=(factory, make_failure())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found(factory).attempts == 20
