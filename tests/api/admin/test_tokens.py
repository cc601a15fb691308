"""Tokens and sessions in the panel."""

import logging
import re

import pytest
from fastapi import FastAPI

from shared.accounts.models import Token
from shared.accounts.service import set_active
from shared.accounts.tokens import find_by_token
from shared.database import read, write
from shared.errors import BadTokenError
from tests.api.admin.conftest import Browser, account_named, make_account, texts
from tests.api.conftest import Sessions, make_client, make_key


def token_id(sessions: Sessions, key: str) -> int:
    with read(sessions) as session:
        return find_by_token(session, key)[1].id


def test_a_key_is_shown_once_and_nowhere_else(
    app: FastAPI, browser: Browser, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    make_account(sessions, "ada")
    with caplog.at_level(logging.DEBUG):
        answer = browser.post("tokens/new", account="ada", name="a <b>script</b>")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    key = re.findall(r">([0-9a-f]{40})<", answer.text)[0]
    assert "location" not in answer.headers
    assert make_client(app, key).get("/frames/").status_code == 200
    listed = browser.get("tokens/list").text
    assert key not in listed
    assert "a &lt;b&gt;script" in listed
    assert not any(key in str(vars(record)) for record in caplog.records)
    with read(sessions) as session:
        token = session.get_one(Token, token_id(sessions, key))
        assert token.digest not in listed


@pytest.mark.parametrize(
    ("name", "problem"),
    [("nobody", "There is no account of that name."), ("off", "off is inactive."), ("", "There is no account")],
)
def test_who_cannot_have_a_token(browser: Browser, sessions: Sessions, name: str, problem: str) -> None:
    make_account(sessions, "off")
    with write(sessions) as session:
        set_active(session, session.merge(account_named(sessions, "off")), active=False)
    answer = browser.post("tokens/new", account=name, name="x")
    assert (answer.status_code, problem in answer.text) == (400, True)
    assert "Nothing found" in browser.get("tokens/list").text


def test_a_token_without_a_proper_name(browser: Browser, sessions: Sessions) -> None:
    make_account(sessions, "ada")
    assert browser.post("tokens/new", account="ada", name="nul\0").status_code == 400
    assert browser.post("tokens/new", account="ada", name="x" * 300).status_code == 200
    assert browser.post("tokens/new", account="ada").status_code == 200
    assert "admin panel" in browser.get("tokens/list").text


def test_a_token_is_revoked(browser: Browser, sessions: Sessions) -> None:
    keys = [make_key(sessions, name) for name in ("ada", "grace")]
    number = token_id(sessions, keys[0])
    answer = browser.post(f"tokens/{number}/revoke", back="account=ada&news=gone&page=1")
    assert answer.headers["location"] == "/admin/tokens/list?account=ada&page=1&news=revoked"
    assert "The token was revoked." in browser.client.get(answer.headers["location"]).text
    with read(sessions) as session:
        assert find_by_token(session, keys[1])[0].username == "grace"
        with pytest.raises(BadTokenError):
            find_by_token(session, keys[0])
    assert browser.post(f"tokens/{number}/revoke").headers["location"].endswith("?news=gone")
    assert browser.post(f"tokens/{'9' * 30}/revoke").headers["location"].endswith("?news=gone")


def test_tokens_are_searched_by_account(browser: Browser, sessions: Sessions) -> None:
    for name in ("ada", "grace"):
        make_key(sessions, name)
    page = browser.get("tokens/list?account=grac").text
    assert "grace" in page
    assert "ada" not in texts(page)
    assert "Revoke this token?" in page


def test_a_session_is_ended(app: FastAPI, browser: Browser, sessions: Sessions) -> None:
    make_account(sessions, "ada")
    other = Browser(app, sessions, "ada")
    assert other.client.get("/frames/").status_code == 200
    page = browser.get("sessions/list?account=ada").text
    assert browser.key not in page
    number = re.findall(r"/admin/sessions/(\d+)/end", page)[0]
    assert browser.post(f"sessions/{number}/end").status_code == 303
    assert other.client.get("/frames/").status_code == 401
    assert browser.post(f"sessions/{number}/end").headers["location"].endswith("?news=gone")
