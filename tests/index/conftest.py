"""An empty index, of either database: SQLite in a file, and PostgreSQL copied from one that has the schema."""

import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from shared.database import Base, make_engine, make_session_factory
from tests.postgres import new_database
from tests.prepared import prepare


@pytest.fixture(scope="session")
def template(postgres: str) -> str:
    """The name of a database with the schema, for copies."""
    engine = make_engine(new_database(postgres, "index_template"))
    prepare(engine)
    engine.dispose()
    return "index_template"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('index') / 'index.sqlite'}")
        prepare(engine)
    else:
        server, template = request.getfixturevalue("postgres"), request.getfixturevalue("template")
        engine = make_engine(new_database(server, f"index_{secrets.token_hex(4)}", template=template))
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
