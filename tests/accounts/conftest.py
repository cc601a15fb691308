from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts.models import LoginSession, Throttle, Token, User
from shared.database import Base, make_engine, make_session_factory


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[sessionmaker[Session]]:
    engine = make_engine(f"sqlite:///{tmp_path / 'accounts.sqlite'}")
    tables = [Base.metadata.tables[model.__tablename__] for model in (User, Token, LoginSession, Throttle)]
    Base.metadata.create_all(engine, tables=tables)
    yield make_session_factory(engine)
    engine.dispose()
