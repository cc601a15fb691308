"""Who is let in to the panel, and what every answer of it carries."""

import datetime as dt
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from starlette.testclient import TestClient

from functions.api.cookies import SESSION_COOKIE
from functions.api.web.targets import safe_target
from shared.accounts.account import Role
from shared.accounts.models import LoginSession, User
from shared.database import write
from tests.api.admin.conftest import PASSWORD, Browser, account_named, make_account, texts
from tests.api.conftest import Sessions, make_client, make_key
from tests.api.test_sessions import token_of

PAGES = (
    "",
    "accounts/list",
    "accounts/new",
    "tokens/list",
    "tokens/new",
    "sessions/list",
    "frames/list",
    "failures/list",
)


@pytest.mark.parametrize("page", [*PAGES, "nothing/list", "accounts/list?account=a%26b&page=2"])
def test_who_is_not_logged_in_is_sent_to_do_so_and_back(stranger: TestClient, page: str) -> None:
    answer = stranger.get(f"/admin/{page}")
    assert answer.status_code == 303
    there = urlsplit(answer.headers["location"])
    assert (there.scheme, there.netloc, there.path) == ("", "", "/accounts/login/")
    target = parse_qs(there.query)["next"][0]
    assert target == f"/admin/{page}" == safe_target(target, "")


def test_logging_in_leads_to_the_page_that_was_asked_for(stranger: TestClient, chief: int) -> None:
    form = stranger.get(stranger.get("/admin/accounts/list").headers["location"]).text
    fields = {"csrfmiddlewaretoken": token_of(form), "next": "/admin/accounts/list"}
    answer = stranger.post("/accounts/login/", data=fields | {"username": "chief", "password": PASSWORD})
    assert stranger.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize("role", [Role.USER, Role.STAFF])
@pytest.mark.parametrize("page", PAGES)
def test_who_may_not_is_refused(app: FastAPI, sessions: Sessions, role: Role, page: str) -> None:
    make_account(sessions, "grace", role)
    answer = Browser(app, sessions, "grace").get(page)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "does not have the right to see this page" in answer.text
    assert "/admin/accounts" not in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_a_superuser_sees_every_page(browser: Browser, page: str) -> None:
    answer = browser.get(page)
    assert answer.status_code == 200
    assert re.findall(r"<script[^>]*>(.*?)</script>", answer.text, re.DOTALL) == ["", ""]
    assert not re.search(r"<style| style=| on[a-z]+=", answer.text)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
    )
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.headers["x-frame-options"], answer.headers["referrer-policy"]) == ("DENY", "no-referrer")
    assert "http://archive" not in answer.text


def test_a_token_lets_nobody_in(app: FastAPI, sessions: Sessions) -> None:
    key = make_key(sessions, "ada", Role.SUPERUSER)
    assert make_client(app, key).get("/admin/").status_code == 303


def test_the_right_is_looked_up_for_each_request(browser: Browser, sessions: Sessions, chief: int) -> None:
    def change(**values: object) -> int:
        with write(sessions) as session:
            session.execute(update(User).where(User.id == chief).values(**values))
        return browser.get("").status_code

    assert change(is_superuser=False) == 403
    assert change(is_superuser=True) == 200
    assert change(is_active=False) == 303
    assert change(is_active=True) == 200
    with write(sessions) as session:
        session.execute(update(LoginSession).values(expires_at=dt.datetime(2020, 1, 1)))
    assert browser.get("").status_code == 303


@pytest.mark.parametrize("key", ["", "x", "é", "a" * 43, "' OR 1=1 --"])
def test_a_cookie_that_is_no_session_lets_nobody_in(stranger: TestClient, key: str) -> None:
    answer = stranger.get("/admin/", headers={"Cookie": f"{SESSION_COOKIE}={key}".encode()})
    assert answer.status_code == 303


def test_behind_a_prefix_and_a_proxy_every_path_is_right(app: FastAPI, sessions: Sessions, chief: int) -> None:
    browser = Browser(app, sessions, "chief")
    client = TestClient(app, base_url="http://inside:8000", root_path="/prod", follow_redirects=False)
    assert client.get("/prod/admin/").headers["location"] == "/prod/accounts/login/?next=/prod/admin/"
    client.cookies.set(SESSION_COOKIE, browser.key, domain="inside.local")
    found = {"": 200, "accounts/list": 200, f"accounts/details/{chief}": 200, "accounts/details/0": 404, "x/y/z": 404}
    cookie = {"Cookie": f"{SESSION_COOKIE}={browser.key}"}
    answers = {path: client.get(f"/prod/admin/{path}", headers=cookie) for path in found}
    assert {path: answer.status_code for path, answer in answers.items()} == found
    text = "".join(answer.text for answer in answers.values())
    links = [part.split('"')[0] for name in ("href", "action", "src") for part in text.split(f' {name}="')[1:]]
    assert all(link.startswith("/prod/") or link == "#main" for link in links), links
    style = next(link for link in links if link.endswith(".css"))
    assert client.get(style).status_code == 200


def test_only_what_is_meant_to_be_is_reachable(browser: Browser, chief: int) -> None:
    paths = (
        "login",
        "logout",
        "statics/js/main.js",
        "accounts/create",
        f"accounts/edit/{chief}",
        "accounts/export/csv",
        "accounts/export/json",
        "accounts/ajax/lookup?name=a&term=b",
        f"accounts/{chief}/password_hash/download/",
        f"accounts/{chief}/password_hash/preview/",
    )
    assert {browser.get(path).status_code for path in paths} == {404}
    for path in ("accounts/delete?pks=1", "accounts/import", "accounts/create", f"accounts/edit/{chief}"):
        assert browser.post(path).status_code == 404
    token = {"X-CSRFToken": browser.client.cookies.get("csrftoken", "")}
    assert browser.client.delete(f"/admin/accounts/delete?pks={chief}", headers=token).status_code in {403, 404}


def test_paths_that_lead_nowhere(browser: Browser, stranger: TestClient) -> None:
    assert stranger.get("/admin").headers["location"] == "admin/"
    assert stranger.get("/administrator/").status_code == 404
    for path in ("nothing/list", "accounts/details/0", "accounts/details/x", f"frames/details/{'9' * 40}", "%00"):
        answer = browser.get(path)
        assert (answer.status_code, "There is no such thing" in answer.text) == (404, True), path
    answer = browser.client.put("/admin/accounts/list")
    assert answer.status_code == 403


def test_no_internals_are_told_when_the_index_is_away(fragile_app: FastAPI) -> None:
    sessions: Sessions = fragile_app.state.services.sessions
    make_account(sessions, "chief", Role.SUPERUSER)
    browser = Browser(fragile_app, sessions, "chief")
    with write(sessions) as session:
        session.execute(update(User).values(is_staff=True))
        session.connection().exec_driver_sql("ALTER TABLE tokens RENAME TO elsewhere")
    answer = browser.get("tokens/list")
    assert answer.status_code == 503
    assert not any(word in answer.text for word in ("tokens", "SELECT", "sqlite", "Traceback"))


def test_two_panels_in_one_process_ask_their_own_index(
    browser: Browser, fragile_app: FastAPI, sessions: Sessions
) -> None:
    others: Sessions = fragile_app.state.services.sessions
    make_account(others, "other", Role.SUPERUSER)
    other = Browser(fragile_app, others, "other")
    for _ in range(2):
        assert "chief" in texts(browser.get("accounts/list").text)
        assert "chief" not in texts(other.get("accounts/list").text)
    assert account_named(sessions, "other") is None
