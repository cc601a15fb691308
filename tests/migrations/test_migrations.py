"""The schema's versions agree with the models, and any number of processes may start at once."""

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Engine, inspect, text

import shared.accounts.models
import shared.index.bundle_jobs
import shared.index.models  # noqa: F401
from shared.database import Base, make_engine, make_session_factory, write
from shared.index.parameters import parse_query
from shared.index.query import list_frames
from shared.index.tallies import wrong_counts
from shared.migrations import downgrade, head_revision, make_config, upgrade
from shared.schema import current_revision
from shared.settings import settings
from tests.population.loading import load
from tests.population.stream import Population

ROOT = Path(__file__).resolve().parents[2]
TABLES = {"alembic_version", "failures", "frame_links", "frames", "sessions", "throttles", "tokens", "users"}


TABLES_AND_INDEXES = """
SELECT name, sql FROM sqlite_master
WHERE sql IS NOT NULL AND type IN ('table', 'index') AND name NOT LIKE 'name_parts%' AND name NOT LIKE 'name_numbers%'
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'index.sqlite'}")
    yield engine
    engine.dispose()


def schema(engine: Engine) -> dict[str, set[str]]:
    """Return each table's and index's definition, part by part."""
    with engine.connect() as connection:
        rows = connection.execute(text(TABLES_AND_INDEXES)).all()
    return {
        name: {part.strip(" ,\t)") for part in re.split(r",\s|\n", sql)} - {""}
        for name, sql in rows
        if name != "alembic_version"
    }


def test_upgrade_makes_an_empty_database_the_latest(engine: Engine) -> None:
    assert current_revision(engine) is None
    upgrade(engine)
    assert current_revision(engine) == head_revision()
    assert head_revision() is not None
    assert set(inspect(engine).get_table_names()) >= TABLES


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out what SQLite makes for the search of parts of names."""
    return kind != "table" or not str(name).startswith(("name_parts", "name_numbers"))


def test_models_and_migrations_agree(engine: Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection:
        assert (
            compare_metadata(MigrationContext.configure(connection, opts={"include_name": _is_ours}), Base.metadata)
            == []
        )


def test_migrated_schema_is_the_one_that_the_models_create(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine)
    created = make_engine(f"sqlite:///{tmp_path / 'created.sqlite'}")
    Base.metadata.create_all(created)
    assert schema(engine) == schema(created)
    created.dispose()


def test_downgrade_leaves_nothing_and_upgrade_comes_back(engine: Engine) -> None:
    upgrade(engine)
    before = schema(engine)
    downgrade(engine, "base")
    assert current_revision(engine) is None
    assert set(inspect(engine).get_table_names()) - {"sqlite_sequence"} == {"alembic_version"}
    upgrade(engine)
    assert schema(engine) == before


def test_upgrade_of_a_current_database_needs_no_lock(engine: Engine, tmp_path: Path) -> None:
    upgrade(engine)
    other = make_engine(f"sqlite:///{tmp_path / 'index.sqlite'}")
    with other.connect() as connection:
        connection.exec_driver_sql("UPDATE users SET username = username")
        upgrade(engine)
    other.dispose()


def test_a_database_newer_than_the_code_is_refused(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CommandError, match="9999"):
        upgrade(engine)


def test_a_failed_upgrade_leaves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE tokens (id INTEGER)"))
    with pytest.raises(Exception, match="tokens already exists"):
        upgrade(engine)
    assert set(inspect(engine).get_table_names()) - {"sqlite_sequence"} == {"tokens"}


def test_threads_may_upgrade_at_once(tmp_path: Path) -> None:
    engines = [make_engine(f"sqlite:///{tmp_path / 'index.sqlite'}") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(upgrade, engines))
    assert {current_revision(engine) for engine in engines} == {head_revision()}
    for engine in engines:
        engine.dispose()


def test_processes_may_upgrade_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'index.sqlite'}"
    code = (
        "import sys\n"
        "from shared.database import make_engine\n"
        "from shared.migrations import upgrade\n"
        "engine = make_engine(sys.argv[1])\n"
        "upgrade(engine)\n"
        "engine.dispose()\n"
    )
    command_line = [sys.executable, "-W", "error", "-c", code, url]
    started = [subprocess.Popen(command_line, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in started]
    assert ended == [("", 0)] * 6
    engine = make_engine(url)
    assert current_revision(engine) == head_revision()
    engine.dispose()


def test_alembic_by_itself_migrates_the_configured_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITSVAULT_DATABASE_URL", f"sqlite:///{tmp_path / 'other.sqlite'}")
    settings.cache_clear()
    try:
        command.upgrade(make_config(), "head")
    finally:
        settings.cache_clear()
    engine = make_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert current_revision(engine) == head_revision()
    engine.dispose()


def test_a_full_index_goes_back_and_forward(engine: Engine) -> None:
    upgrade(engine)
    load(engine, Population(500).batches())
    downgrade(engine, "0007")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM frames WHERE id % 3 = 0"))
        connection.execute(text("UPDATE frames SET site = 'elsewhere', object_name = 'other' WHERE id % 7 = 0"))
    upgrade(engine)
    with write(make_session_factory(engine)) as session:
        assert wrong_counts(session) == {}
        page = list_frames(session, parse_query([("SITE", "elsewhere"), ("undated", "true"), ("limit", "0")]))
        assert page.count == sum(1 for frame_id in range(1, 501) if frame_id % 7 == 0 and frame_id % 3)


def test_a_grown_index_keeps_its_rows(engine: Engine) -> None:
    upgrade(engine, "0001")
    columns = "bucket, key, kind, message, attempts, first_at, last_at"
    with engine.begin() as connection:
        values = "'b', 'k.fits', 'truncated', 'too short', 1, '2026-11-21 00:00:00', '2026-11-21 00:00:00'"
        connection.execute(text(f"INSERT INTO failures ({columns}) VALUES ({values})"))
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT key, retry_at FROM failures")).all() == [("k.fits", None)]
    downgrade(engine, "0001")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT key, attempts FROM failures")).all() == [("k.fits", 1)]
