"""Engines, and transactions that do not get in each other's way."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory, read, utc_now, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'deep' / 'er' / 'index.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (id INTEGER PRIMARY KEY, value INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (1, 0)"))
    yield engine
    engine.dispose()


@pytest.fixture
def factory(engine: Engine) -> sessionmaker[Session]:
    return make_session_factory(engine)


def value(factory: sessionmaker[Session]) -> int:
    with read(factory) as session:
        return int(session.execute(text("SELECT value FROM counter")).scalar_one())


def write_and_fail(factory: sessionmaker[Session], statement: str) -> None:
    with write(factory) as session:
        session.execute(text(statement))
        raise RuntimeError("no")


def test_sqlite_is_prepared(engine: Engine) -> None:
    wanted = {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 1}
    with engine.connect() as connection:
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in wanted}
    assert found == wanted


def test_write_commits_and_an_exception_rolls_back(factory: sessionmaker[Session]) -> None:
    with write(factory) as session:
        session.execute(text("UPDATE counter SET value = 5"))
    with pytest.raises(RuntimeError, match="no"):
        write_and_fail(factory, "UPDATE counter SET value = 6")
    assert value(factory) == 5


def test_a_schema_change_rolls_back_too(factory: sessionmaker[Session]) -> None:
    with pytest.raises(RuntimeError, match="no"):
        write_and_fail(factory, "CREATE TABLE other (id INTEGER)")
    with read(factory) as session:
        assert session.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 'other'")).scalar_one() == 0


def test_read_keeps_nothing_that_it_wrote(factory: sessionmaker[Session]) -> None:
    with read(factory) as session:
        session.execute(text("UPDATE counter SET value = 7"))
    assert value(factory) == 0


def test_read_is_one_snapshot(factory: sessionmaker[Session]) -> None:
    with read(factory) as session:
        assert session.execute(text("SELECT value FROM counter")).scalar_one() == 0
        with write(factory) as writer:
            writer.execute(text("UPDATE counter SET value = 1"))
        assert session.execute(text("SELECT value FROM counter")).scalar_one() == 0
    assert value(factory) == 1


def test_readers_do_not_wait_for_a_writer(factory: sessionmaker[Session]) -> None:
    with write(factory) as session:
        session.execute(text("UPDATE counter SET value = 1"))
        seen: list[int] = []
        reader = threading.Thread(target=lambda: seen.append(value(factory)))
        reader.start()
        reader.join(5)
        assert seen == [0]


def test_writers_that_read_first_lose_no_update(factory: sessionmaker[Session]) -> None:
    def count_up() -> None:
        for _ in range(25):
            with write(factory) as session:
                number = session.execute(text("SELECT value FROM counter")).scalar_one()
                session.execute(text("UPDATE counter SET value = :value"), {"value": number + 1})

    threads = [threading.Thread(target=count_up) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert value(factory) == 150


def test_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from sqlalchemy import text\n"
        "from shared.database import make_engine\n"
        "for _ in range(20):\n"
        "    engine = make_engine(sys.argv[1])\n"
        "    with engine.connect() as connection:\n"
        "        connection.execute(text('SELECT count(*) FROM sqlite_master'))\n"
        "    engine.dispose()\n"
    )
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    command = [sys.executable, "-W", "error", "-c", code, url]
    started = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    assert [(process.communicate(timeout=120)[1], process.returncode) for process in started] == [("", 0)] * 6


def test_foreign_keys_hold(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE child (parent INTEGER REFERENCES counter (id))"))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("INSERT INTO child VALUES (99)"))


def test_the_clock_is_naive_utc() -> None:
    assert utc_now().tzinfo is None


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_an_index_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="needs a file"):
        make_engine(url)
