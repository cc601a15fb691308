"""The schema goes forward and back on a full table of PostgreSQL, while others read and write it."""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, text
from sqlalchemy.exc import DBAPIError

from shared.database import make_engine
from shared.index.combinations import COMBINED, signature
from shared.index.models import Combination, Frame
from shared.index.sky import sky_cell
from shared.migrations import downgrade, head_revision, upgrade
from shared.schema import current_revision
from tests.archive import wait_until
from tests.migrations.full import OldVersion, assert_exact, copied, indexes
from tests.population.loading import load
from tests.population.stream import Population
from tests.postgres import new_database

BRIEF = ("ALTER TABLE", "CREATE TRIGGER", "DROP TRIGGER")
LOCKS = """
SELECT mode FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE application_name = :name AND relation = 'frames'::regclass AND pg_locks.granted
"""


def old_database(server: str, name: str, rows: int) -> None:
    """Make a database of version 0007 with frames in it."""
    engine = make_engine(new_database(server, name))
    upgrade(engine)
    load(engine, Population(rows).batches())
    downgrade(engine, "0007")
    engine.dispose()


@pytest.fixture(scope="module")
def templates(postgres: str) -> str:
    old_database(postgres, "many_old", 8000)
    old_database(postgres, "few_old", 2500)
    return postgres


@pytest.fixture
def full(templates: str) -> Iterator[Engine]:
    with copied(templates, "many_old", "many_copy") as engine:
        yield engine


@pytest.fixture
def some(templates: str) -> Iterator[Engine]:
    with copied(templates, "few_old", "few_copy") as engine:
        yield engine


@pytest.fixture(scope="module")
def expected(templates: str) -> Iterator[tuple[set[str], set[str]]]:
    """Indexes of an empty database, before and behind the migration."""
    engine = make_engine(new_database(templates, "empty"))
    upgrade(engine, "0007")
    before = indexes(engine)
    upgrade(engine)
    yield before, indexes(engine)
    engine.dispose()


def test_others_read_and_write_meanwhile(full: Engine, expected: tuple[set[str], set[str]]) -> None:
    others = make_engine(full.url.render_as_string(hide_password=False))
    old = OldVersion(others)
    with old.at_work():
        upgrade(full)
    assert old.rounds > 0
    assert indexes(full) == expected[1]
    assert_exact(full)
    rounds = old.rounds
    with old.at_work():
        downgrade(full, "0007")
    assert old.rounds > rounds
    assert indexes(full) == expected[0]
    upgrade(full)
    assert_exact(full)
    others.dispose()


@pytest.mark.parametrize("way", ["forward", "back"])
def test_no_lock_is_held_that_others_wait_for(some: Engine, way: str) -> None:
    """What locks the table is done when its statement is; and no statement that locks it does more than to say so."""
    watcher = make_engine(some.url.render_as_string(hide_password=False))
    if way == "back":
        upgrade(some)
    seen: list[tuple[str, list[str], int]] = []

    @event.listens_for(some, "after_cursor_execute")
    def look(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        with watcher.connect() as other:
            held = other.execute(text(LOCKS), {"name": "few_copy"}).scalars().all()
        seen.append((" ".join(statement.split()), list(held), cursor.rowcount))

    if way == "forward":
        upgrade(some)
    else:
        downgrade(some, "0007")
    assert [(statement, held) for statement, held, _ in seen if held] == []
    assert [rows for statement, _, rows in seen if statement.startswith("UPDATE frames") and rows > 1000] == []
    about_frames = [
        statement
        for statement, *_ in seen
        if ("ON frames" in statement or "TABLE frames" in statement) and not statement.startswith("CREATE OR REPLACE")
    ]
    assert about_frames
    for statement in about_frames:
        is_concurrent = statement.startswith(("CREATE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY"))
        assert is_concurrent or statement.startswith(BRIEF), statement
    watcher.dispose()


def test_nobody_waits_behind_an_upgrade_that_waits(some: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="fitsvault.migrations")
    other = make_engine(some.url.render_as_string(hide_password=False))
    with other.connect() as long:
        long.execute(text("SELECT count(*) FROM frames"))
        thread = threading.Thread(target=upgrade, args=(some,))
        thread.start()
        wait_until("it stands back", lambda: "others are in the way" in caplog.text)
        assert OldVersion(other).read() >= 0
        assert thread.is_alive()
    thread.join(120)
    assert current_revision(some) == head_revision()
    assert_exact(some)
    other.dispose()


def _die_after(url: str, beginning: str, times: int, revision: str | None) -> None:
    engine = make_engine(url)
    left = times

    @event.listens_for(engine, "after_cursor_execute")
    def count(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal left
        left -= statement.strip().startswith(beginning)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if revision is None:
        upgrade(engine)
    else:
        downgrade(engine, revision)


def die_after(engine: Engine, beginning: str, times: int, revision: str | None = None) -> None:
    url = engine.url.render_as_string(hide_password=False)
    process = multiprocessing.get_context("forkserver").Process(
        target=_die_after, args=(url, beginning, times, revision)
    )
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("beginning", "times"),
    [
        ("CREATE TRIGGER", 1),
        ("UPDATE frames", 2),
        ("CREATE INDEX CONCURRENTLY", 7),
        ("DROP INDEX CONCURRENTLY", 2),
    ],
)
def test_a_killed_upgrade_is_gone_on_with(
    some: Engine, expected: tuple[set[str], set[str]], beginning: str, times: int
) -> None:
    die_after(some, beginning, times)
    assert current_revision(some) == "0007"
    old = OldVersion(some)
    for _ in range(5):
        old.write()
    upgrade(some)
    assert indexes(some) == expected[1]
    assert_exact(some)


def test_a_killed_downgrade_is_gone_on_with(some: Engine, expected: tuple[set[str], set[str]]) -> None:
    upgrade(some, "0008")
    die_after(some, "DROP INDEX CONCURRENTLY", 7, "0007")
    old = OldVersion(some)
    for _ in range(5):
        old.write()
    downgrade(some, "0007")
    assert indexes(some) == expected[0]
    upgrade(some)
    assert indexes(some) == expected[1]
    assert_exact(some)


def test_an_index_that_was_broken_off_is_made_anew(some: Engine, expected: tuple[set[str], set[str]]) -> None:
    other = make_engine(some.url.render_as_string(hide_password=False))
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event = 'virtualxid'"
        " AND datname = current_database()"
    )
    troubles: list[Exception] = []
    upgrade(some, "0007")

    def go() -> None:
        try:
            upgrade(some)
        except DBAPIError as error:
            troubles.append(error)

    with other.connect() as first, other.connect() as second:
        old = first.execution_options(isolation_level="REPEATABLE READ")
        old.execute(text("SELECT count(*) FROM users"))  # a snapshot that indexes wait for
        thread = threading.Thread(target=go)
        thread.start()
        autocommit = second.execution_options(isolation_level="AUTOCOMMIT")
        wait_until("an index waits", lambda: autocommit.execute(text(waiting)).scalar())
        autocommit.execute(text(waiting.replace("SELECT pid", "SELECT pg_terminate_backend(pid)")))
        thread.join(60)
    assert len(troubles) == 1
    assert any("INVALID" in index for index in indexes(some))
    upgrade(some)
    assert indexes(some) == expected[1]
    assert_exact(some)
    other.dispose()


def test_processes_may_upgrade_at_once(some: Engine) -> None:
    """Who waits for the lock must not hold up the indexes of who has it."""
    url = some.url.render_as_string(hide_password=False)
    process = multiprocessing.get_context("forkserver").Process(target=_upgrade, args=(url,))
    process.start()
    upgrade(some)
    process.join(120)
    assert process.exitcode == 0
    assert_exact(some)


def _upgrade(url: str) -> None:
    upgrade(make_engine(url))


STRANGE = ["", "é", 'a"b', "back\\slash", "tab\tnew\nline", "\x01\x1f", "\x7f", "🔭", "null", "a,b", "</x>", None]


def test_what_the_old_version_writes_is_adopted(some: Engine) -> None:
    """Also when its containers are still there behind the upgrade."""
    upgrade(some)
    old = OldVersion(some)
    for number, value in enumerate(STRANGE):
        old.insert(f"strange/{number}.fits", site=value, filter_name=value, object_name=value, object_folded=None)
    for _ in range(10):
        old.write()
    columns = [getattr(Frame, name) for name in COMBINED]
    statement = select(Combination.signature, *columns).join(Combination, Combination.id == Frame.combination_id)
    with some.connect() as connection:
        for held, *values in connection.execute(statement):
            assert held == signature(dict(zip(COMBINED, values, strict=True)))
    assert_exact(some)


def test_cells_of_the_sky_are_those_that_ingest_finds(some: Engine) -> None:
    upgrade(some, "0008")
    places = [(ra, -90 + zone / 30 + 1 / 60) for zone in range(5400) for ra in (0.0, 123.456, 359.9999999)]
    places += [(10.0, -90.0), (10.0, 90.0), (360.0, 0.0), (0.0, 0.0)]
    statement = text(
        "SELECT frames_sky_cell(ra, delta) FROM unnest(:ra, :dec) WITH ORDINALITY AS t (ra, delta, n) ORDER BY n"
    )
    with some.connect() as connection:
        found = connection.execute(statement, {"ra": [ra for ra, _ in places], "dec": [dec for _, dec in places]})
        assert list(found.scalars()) == [sky_cell(*place) for place in places]
