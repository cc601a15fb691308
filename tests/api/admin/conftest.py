"""A browser that a superuser is logged in with, for the panel of a real application."""

import datetime as dt
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from functions.api.cookies import SESSION_COOKIE
from functions.api.csrf import FIELD
from shared.accounts.account import Role, account_of
from shared.accounts.service import find_user
from shared.accounts.sessions import csrf_token, open_session
from shared.database import read, write
from tests.api.conftest import Sessions, make_client, put_user

PASSWORD = "secret words"


class Browser:
    """A browser with somebody's session, whose forms carry its token."""

    def __init__(self, app: FastAPI, sessions: Sessions, name: str) -> None:
        with write(sessions) as session:
            user = find_user(session, name)
            assert user is not None
            self.key = open_session(session, account_of(user), dt.timedelta(hours=1))
        self.client = make_client(app)
        self.client.cookies.set(SESSION_COOKIE, self.key, domain="archive.test")

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Return a page below the panel."""
        answer: httpx.Response = self.client.get(f"/admin/{path}", **more)
        return answer

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form to the panel."""
        answer: httpx.Response = self.client.post(f"/admin/{path}", data={FIELD: csrf_token(self.key)} | fields)
        return answer


def make_account(sessions: Sessions, name: str, role: Role = Role.USER) -> int:
    with write(sessions) as session:
        return put_user(session, name, PASSWORD, role).id


def account_named(sessions: Sessions, name: str) -> Any:
    with read(sessions) as session:
        return find_user(session, name)


def texts(html: str) -> str:
    """Return what a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


@pytest.fixture
def chief(sessions: Sessions) -> int:
    """The id of the one superuser."""
    return make_account(sessions, "chief", Role.SUPERUSER)


@pytest.fixture
def browser(app: FastAPI, sessions: Sessions, chief: int) -> Browser:
    return Browser(app, sessions, "chief")


@pytest.fixture
def stranger(app: FastAPI) -> TestClient:
    return make_client(app)
