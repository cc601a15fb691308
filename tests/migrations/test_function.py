"""The function that brings the schema of a database: by hand, and for a stack that waits for its answer."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from functions.migrate import handler as module
from functions.migrate.handler import handle
from shared.database import make_engine
from shared.migrations import downgrade, upgrade
from shared.schema import REVISIONS, check_schema, current_revision
from tests.migrations.stack import listening_stack, stack_event

LATEST = {"schema": REVISIONS[-1]}


class Clock:
    """What Lambda tells of the call."""

    def __init__(self, seconds: float = 300.0) -> None:
        self._milliseconds = int(1000 * seconds)

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'index.sqlite'}")
    yield engine
    engine.dispose()


def test_by_hand(engine: Engine) -> None:
    assert handle({}, Clock(), engine) == LATEST
    check_schema(engine)
    downgrade(engine, REVISIONS[-2])
    assert handle({}, Clock(), engine) == LATEST
    check_schema(engine)


def test_a_stack_is_told(engine: Engine) -> None:
    with listening_stack() as (address, told):
        for kind in ("Create", "Update"):
            assert handle(stack_event(address, kind), Clock(), engine) == LATEST
        check_schema(engine)
        assert handle(stack_event(address, "Delete"), Clock(), engine) == {}
        check_schema(engine)
    assert [(one["Status"], one["Data"]) for one in told] == [("SUCCESS", LATEST), ("SUCCESS", LATEST), ("SUCCESS", {})]
    event = stack_event(address)
    for one in told:
        assert {name: one[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
            name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")
        }
    assert len({one["PhysicalResourceId"] for one in told}) == 1, "another would have CloudFormation delete the first"


def test_a_stack_that_goes_back_comes_to_its_end(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with listening_stack() as (address, told):
        assert handle(stack_event(address, "Update"), Clock(), engine) == {"schema": "9999"}
    assert told[0]["Status"] == "SUCCESS"
    assert current_revision(engine) == "9999"


def test_a_stack_hears_what_is_wrong() -> None:
    away = make_engine("postgresql+psycopg://ada:secret-words@127.0.0.1:9/nothing?connect_timeout=1")
    with listening_stack() as (address, told):
        assert handle(stack_event(address), Clock(), away) == {}
    away.dispose()
    assert told[0]["Status"] == "FAILED"
    assert told[0]["Reason"]
    assert "secret-words" not in told[0]["Reason"]


def test_a_stack_hears_in_time_what_takes_too_long(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(engine: Engine) -> None:
        time.sleep(1.0)
        upgrade(engine)

    monkeypatch.setattr(module, "upgrade", slowly)
    with listening_stack() as (address, told):
        assert handle(stack_event(address), Clock(0.4), engine) == LATEST
    assert [one["Status"] for one in told] == ["FAILED"]
    assert "deploy again, and it goes on" in told[0]["Reason"]
