"""An empty index: SQLite in a file, or the (empty) database that FITSVAULT_TEST_DATABASE_URL names."""

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from shared.database import Base, make_engine, make_session_factory
from shared.migrations import upgrade


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = tmp_path_factory.mktemp("index") / "index.sqlite"
    engine = make_engine(os.environ.get("FITSVAULT_TEST_DATABASE_URL", f"sqlite:///{path}"))
    upgrade(engine)
    yield engine
    empty(engine)
    engine.dispose()


@pytest.fixture
def factory(engine: Engine) -> Iterator[sessionmaker[Session]]:
    yield make_session_factory(engine)
    empty(engine)


def empty(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
