"""Engines for where they run: deadlines, names, and how many connections they keep."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from shared.database import is_timed_out, limited, make_engine, make_session_factory, read, write
from tests.postgres import new_database

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT max(i % 7) FROM n"
ENDLESS_POSTGRESQL = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 1000000) b"


@pytest.fixture(scope="module")
def database(postgres: str) -> str:
    return new_database(postgres, "engines")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    sqlite = f"sqlite:///{tmp_path / 'index.sqlite'}"
    engine = make_engine(sqlite if request.param == "sqlite" else request.getfixturevalue("database"))
    yield engine
    engine.dispose()


def endless(engine: Engine) -> str:
    return ENDLESS if engine.dialect.name == "sqlite" else ENDLESS_POSTGRESQL


def ask(engine: Engine, statement: str) -> Any:
    with read(make_session_factory(engine)) as session:
        return session.execute(text(statement)).scalar_one()


def test_a_query_that_takes_too_long_is_given_up(engine: Engine) -> None:
    with pytest.raises(OperationalError) as raised:
        ask(limited(engine, 0.1), endless(engine))
    assert is_timed_out(raised.value)
    assert ask(limited(engine, 0.1), "SELECT 1") == 1


def test_each_statement_has_its_own_time(engine: Engine) -> None:
    with read(make_session_factory(limited(engine, 0.3))) as session:
        for _ in range(3):
            assert session.execute(text("SELECT 1")).scalar_one() == 1
            time.sleep(0.15)


def test_what_writes_by_the_same_connection_has_no_limit(engine: Engine) -> None:
    one = make_engine(engine.url.render_as_string(hide_password=False), pool="function")
    ask(limited(one, 0.01), "SELECT 1")
    few = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT max(i % 7) FROM n"
    with write(make_session_factory(one)) as session:
        assert session.execute(text(few.format(1_000_000))).scalar_one() == 6
    one.dispose()


def test_no_limit_is_none(engine: Engine) -> None:
    assert ask(limited(engine, 0), "SELECT 1") == 1


def test_other_troubles_are_not_taken_for_it(engine: Engine) -> None:
    with pytest.raises(Exception, match="nothing") as raised:
        ask(limited(engine, 5), "SELECT * FROM nothing")
    assert not is_timed_out(raised.value)


def test_readers_are_planned_for_their_own_values(database: str) -> None:
    engine = make_engine(database)
    assert ask(limited(engine, 20), "SHOW plan_cache_mode") == "force_custom_plan"
    assert ask(limited(engine, 20), "SHOW statement_timeout") == "20s"
    assert [ask(engine, f"SHOW {name}") for name in ("plan_cache_mode", "statement_timeout")] == ["auto", "0"]
    engine.dispose()


def test_a_connection_says_whose_it_is(database: str) -> None:
    engine = make_engine(database, name="fitsvault-api")
    assert ask(engine, "SHOW application_name") == "fitsvault-api"
    engine.dispose()
    other = make_engine(f"{database}&application_name=mine&connect_timeout=2", name="fitsvault-api")
    assert ask(other, "SHOW application_name") == "mine"
    other.dispose()


def test_a_function_keeps_one_connection_that_the_server_may_end(database: str) -> None:
    engine = make_engine(database, pool="function")
    with engine.connect() as one, engine.connect() as two:
        assert pid(one) != pid(two)
    assert ask(engine, "SHOW idle_in_transaction_session_timeout") == "1min"
    assert ask(engine, "SHOW idle_session_timeout") == "15min"
    assert engine.pool.checkedin() == 1  # type: ignore[attr-defined]
    engine.dispose()


def pid(connection: Any) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def pid_of(engine: Engine) -> int:
    with engine.connect() as connection:
        return pid(connection)


def test_a_connection_that_ended_meanwhile_is_replaced(database: str) -> None:
    """The server ends those of frozen functions; nobody is to notice."""
    engine, other = make_engine(database, pool="function"), make_engine(database)
    before = pid_of(engine)
    ask(other, f"SELECT pg_terminate_backend({before}, 5000)")
    assert pid_of(engine) != before
    engine.dispose()
    other.dispose()


def test_a_database_that_does_not_answer_hangs_nobody() -> None:
    """Something takes the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://a:b@127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=2"
        raised: list[Exception] = []
        engine = make_engine(url)
        thread = threading.Thread(target=lambda: raised.append(_trouble(engine)), daemon=True)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
    assert isinstance(raised[0], OperationalError)


def _trouble(engine: Engine) -> Exception:
    try:
        ask(engine, "SELECT 1")
    except OperationalError as error:
        return error
    return AssertionError("it answered")


def test_nobody_else_can_read_a_new_index(tmp_path: Path) -> None:
    path = tmp_path / "home" / "index.sqlite"
    before = os.umask(0o022)
    try:
        engine = make_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE one (id int)")
            assert [one.stat().st_mode & 0o077 for one in (path.parent, *path.parent.iterdir())] == [0] * 4
        engine.dispose()
    finally:
        os.umask(before)
