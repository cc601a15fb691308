import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts.models import LoginSession, Throttle, Token, User
from shared.database import Base, make_engine, make_session_factory
from tests.postgres import new_database


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[sessionmaker[Session]]:
    yield from with_tables(f"sqlite:///{tmp_path / 'accounts.sqlite'}")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sessionmaker[Session]]:
    """Sessions of each kind of database."""
    if request.param == "sqlite":
        yield from with_tables(f"sqlite:///{tmp_path / 'accounts.sqlite'}")
    else:
        yield from with_tables(new_database(request.getfixturevalue("postgres"), f"accounts_{uuid.uuid4().hex}"))


def with_tables(url: str) -> Iterator[sessionmaker[Session]]:
    engine = make_engine(url)
    tables = [Base.metadata.tables[model.__tablename__] for model in (User, Token, LoginSession, Throttle)]
    Base.metadata.create_all(engine, tables=tables)
    yield make_session_factory(engine)
    engine.dispose()
