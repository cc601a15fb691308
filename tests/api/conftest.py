import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session, sessionmaker
from starlette.testclient import TestClient

from functions.api.app import create_app
from shared.accounts.account import Role, account_of
from shared.accounts.models import User
from shared.accounts.passwords import hash_new_password
from shared.accounts.tokens import issue_token
from shared.database import Base, utc_now, write
from shared.index.frames import put_frame
from shared.settings import Settings
from tests.index.factory import make_record
from tests.prepared import prepare

Sessions = sessionmaker[Session]
PutFrame = Callable[..., int]

NO_STORE = {"s3_endpoint_url": "http://127.0.0.1:9", "s3_access_key": "key", "s3_secret_key": "secret words"}
"""A store whose links can be signed, and that nobody answers for."""


def local_settings(home: Path, **more: Any) -> Settings:
    """Return settings that no environment changes."""
    return Settings(_env_file=None, home=home, database_url=None, **(NO_STORE | more))


@contextmanager
def running_app(settings: Settings) -> Iterator[FastAPI]:
    """Make an application with an index of its own."""
    app = create_app(settings)
    prepare(app.state.services.engine)
    yield app
    app.state.services.close()


def make_key(sessions: Sessions, username: str, role: Role = Role.USER) -> str:
    """Make an account, whose password is "secret words", and a token for it."""
    with write(sessions) as session:
        return issue_token(session, account_of(put_user(session, username, "secret words", role)), "test")


def put_user(session: Session, username: str, password: str, role: Role) -> User:
    """Write an account. Its password's hash, which is meant to take long, is made but once."""
    user = User(
        username=username,
        password_hash=_hash(password),
        is_staff=role >= Role.STAFF,
        is_superuser=role >= Role.SUPERUSER,
        is_active=True,
        created_at=utc_now(),
        last_login=None,
    )
    session.add(user)
    session.flush()
    return user


_hash = cache(hash_new_password)


def make_client(app: FastAPI, key: str | None = None) -> TestClient:
    """Return a client that follows no redirects, with a token or without."""
    headers = {"Authorization": f"Token {key}"} if key else {}
    return TestClient(app, base_url="http://archive.test", headers=headers, follow_redirects=False)


def emptied(app: FastAPI) -> FastAPI:
    """Return the application after all rows of its index are gone."""
    with write(app.state.services.sessions) as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
    return app


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with running_app(local_settings(tmp_path_factory.mktemp("api"))) as app:
        yield app


@pytest.fixture
def app(shared_app: FastAPI) -> FastAPI:
    """An application with an empty index."""
    return emptied(shared_app)


@pytest.fixture
def fragile_app(tmp_path: Path) -> Iterator[FastAPI]:
    """An application that a test may break."""
    with running_app(local_settings(tmp_path)) as app:
        yield app


@pytest.fixture
def sessions(app: FastAPI) -> Sessions:
    factory: Sessions = app.state.services.sessions
    return factory


@pytest.fixture
def key(sessions: Sessions) -> str:
    return make_key(sessions, "ada")


@pytest.fixture
def staff_key(sessions: Sessions) -> str:
    return make_key(sessions, "grace", Role.STAFF)


@pytest.fixture
def anonymous(app: FastAPI) -> TestClient:
    return make_client(app)


@pytest.fixture
def client(app: FastAPI, key: str) -> TestClient:
    return make_client(app, key)


@pytest.fixture
def put(sessions: Sessions) -> PutFrame:
    def put_one(**overrides: Any) -> int:
        with write(sessions) as session:
            return put_frame(session, make_record(**overrides))

    return put_one


@pytest.fixture
def lambda_loop() -> Iterator[None]:
    """An event loop for Mangum, which would make one for its thread and leave it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
