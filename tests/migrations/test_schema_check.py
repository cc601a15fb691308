"""Code works with its own schema only, and says what to do."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from shared.database import make_engine
from shared.errors import SchemaError
from shared.migrations import head_revision, make_config, upgrade
from shared.schema import REVISIONS, check_schema, function_sessions
from shared.settings import Settings
from tests.postgres import new_database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'index.sqlite'}")
    yield engine
    engine.dispose()


def test_its_own_schema_is_right(engine: Engine) -> None:
    upgrade(engine)
    check_schema(engine)


@pytest.mark.parametrize("revision", [None, "0001", "0007"])
def test_an_older_schema_is_to_be_upgraded(engine: Engine, revision: str | None) -> None:
    if revision:
        upgrade(engine, revision)
    with pytest.raises(SchemaError, match=f"is {revision or 'missing'}, not {head_revision()}: run `fitsvault db upg"):
        check_schema(engine)


def test_a_newer_schema_is_another_versions(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="9999 is newer"):
        check_schema(engine)


@pytest.mark.parametrize(
    ("module", "maker"),
    [
        ("functions.ingest.handler", "_parts"),
        ("functions.reconcile.handler", "_reconciler"),
        ("functions.bundle.handler", "_worker"),
    ],
)
def test_functions_refuse_another_schema(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, module: str, maker: str
) -> None:
    upgrade(engine, "0007")
    handler = importlib.import_module(module)
    given = Settings(_env_file=None, database_url=str(engine.url))
    monkeypatch.setattr(handler, "settings", lambda: given)
    for cached in vars(handler).values():
        getattr(cached, "cache_clear", lambda: None)()
    with pytest.raises(SchemaError, match="run `fitsvault db upgrade`"):
        getattr(handler, maker)()


def test_a_function_keeps_one_connection(postgres: str) -> None:
    url = new_database(postgres, "functions")
    engine = make_engine(url)
    upgrade(engine)
    engine.dispose()
    sessions = function_sessions(Settings(_env_file=None, database_url=url), "fitsvault-test")
    pool = sessions.kw["bind"].pool
    assert pool.size() == 1
    sessions.kw["bind"].dispose()


def test_versions_are_known_the_latest_first() -> None:
    scripts = ScriptDirectory.from_config(make_config()).walk_revisions()
    assert [script.revision for script in scripts] == list(reversed(REVISIONS))
    assert REVISIONS[-1] == head_revision()
