from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from functions.api.csrf import FIELD
from shared.accounts.account import Role
from shared.accounts.service import create_user
from shared.database import write
from tests.api.conftest import Sessions, make_client

MakeBrowser = Callable[[Role], TestClient]


@pytest.fixture
def make_browser(app: FastAPI, sessions: Sessions) -> MakeBrowser:
    """What makes a client that somebody of a role is logged in with."""

    def make(role: Role) -> TestClient:
        name = role.name.lower()
        with write(sessions) as session:
            create_user(session, name, "secret42", role=role)
        browser = make_client(app)
        browser.get("/accounts/login/")
        fields = {"username": name, "password": "secret42", FIELD: browser.cookies["csrftoken"]}
        assert browser.post("/accounts/login/", data=fields).status_code == 302
        return browser

    return make


@pytest.fixture
def browser(make_browser: MakeBrowser) -> TestClient:
    """A client that a user is logged in with."""
    return make_browser(Role.USER)
