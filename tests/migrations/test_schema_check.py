"""Code works with its own schema only, and says what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from shared.database import make_engine
from shared.errors import SchemaError
from shared.migrations import check_schema, head_revision, known_revisions, upgrade


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


def test_versions_are_known_the_latest_first() -> None:
    assert known_revisions()[0] == head_revision()
    assert known_revisions()[-1] == "0001"
