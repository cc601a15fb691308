"""Accounts in the panel."""

import logging

import pytest
from fastapi import FastAPI

from shared.accounts.account import Role
from shared.accounts.models import User
from shared.accounts.service import authenticate
from shared.accounts.tokens import find_by_token
from shared.database import read, utc_now, write
from shared.errors import BadCredentialsError
from tests.api.admin.conftest import PASSWORD, Browser, account_named, make_account, texts
from tests.api.conftest import Sessions, make_key

HOSTILE = "' OR 1=1 --"


def test_an_account_from_its_making_on(browser: Browser, sessions: Sessions) -> None:
    made = browser.post("accounts/new", username="ada", password="first words", role="staff")
    assert made.status_code == 303
    page = browser.client.get(made.headers["location"])
    assert "The account was made." in page.text
    assert authenticate(sessions, "ada", "first words").role is Role.STAFF
    ada = account_named(sessions, "ada").id
    assert browser.post(f"accounts/{ada}/role", role="user").status_code == 303
    assert browser.post(f"accounts/{ada}/password", password="other words").status_code == 303
    assert authenticate(sessions, "ada", "other words").role is Role.USER
    assert browser.post(f"accounts/{ada}/deactivate").status_code == 303
    with pytest.raises(BadCredentialsError):
        authenticate(sessions, "ada", "other words")
    assert "Activate" in texts(browser.get(f"accounts/details/{ada}").text)
    assert browser.post(f"accounts/{ada}/activate").status_code == 303
    authenticate(sessions, "ada", "other words")


@pytest.mark.parametrize("way", ["password", "deactivate"])
def test_sessions_end_with_password_and_switch(app: FastAPI, browser: Browser, sessions: Sessions, way: str) -> None:
    ada = make_account(sessions, "ada", Role.SUPERUSER)
    other = Browser(app, sessions, "ada")
    assert other.get("").status_code == 200
    browser.post(f"accounts/{ada}/{way}", password="other words")
    assert other.get("").status_code == 303


def test_tokens_stay_with_another_password(browser: Browser, sessions: Sessions) -> None:
    key = make_key(sessions, "ada")
    browser.post(f"accounts/{account_named(sessions, 'ada').id}/password", password="other words")
    with read(sessions) as session:
        assert find_by_token(session, key)[0].username == "ada"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"username": "chief"}, "There is an account chief already."),
        ({"username": "with blank"}, "A user name has"),
        ({"username": ""}, "A user name has"),
        ({"password": "7 chars"}, "A password has 8 to 1024"),
        ({"password": "p" * 1025}, "A password has 8 to 1024"),
        ({"password": ""}, "A password has 8 to 1024"),
        ({"role": "king"}, "A role is one of user, staff, superuser."),
        ({"role": ""}, "A role is one of"),
        ({"username": "<script>alert(1)</script>"}, "A user name has"),
        ({"username": "nul\0"}, "A user name has"),
    ],
)
def test_what_no_account_can_have_is_told(
    browser: Browser, sessions: Sessions, fields: dict[str, str], problem: str
) -> None:
    answer = browser.post("accounts/new", **({"username": "ada", "password": PASSWORD, "role": "user"} | fields))
    assert (answer.status_code, problem in answer.text) == (400, True)
    assert "<script>" not in answer.text
    assert f'value="{PASSWORD}"' not in answer.text
    assert account_named(sessions, "ada") is None


@pytest.mark.parametrize(
    ("path", "fields"), [("deactivate", {}), ("role", {"role": "staff"}), ("role", {"role": "user"})]
)
def test_the_last_active_superuser_stays(
    browser: Browser, sessions: Sessions, chief: int, path: str, fields: dict[str, str]
) -> None:
    make_account(sessions, "off", Role.SUPERUSER)
    browser.post(f"accounts/{account_named(sessions, 'off').id}/deactivate")
    answer = browser.post(f"accounts/{chief}/{path}", **fields)
    assert (answer.status_code, "chief is the last active superuser" in answer.text) == (400, True)
    assert authenticate(sessions, "chief", PASSWORD).role is Role.SUPERUSER
    assert browser.get("").status_code == 200


def test_accounts_are_searched_and_paged(browser: Browser, sessions: Sessions) -> None:
    for number in range(60):
        add_quickly(sessions, f"user-{number:02}")
    assert "1 to 50 of 61" in texts(browser.get("accounts/list").text)
    second = texts(browser.get("accounts/list?page=2").text)
    assert "51 to 61 of 61" in second
    assert "user-59" in second
    assert "1 to 10 of 10" in texts(browser.get("accounts/list?account=USER-0").text)
    assert "1 to 61 of 61" in texts(browser.get("accounts/list?pageSize=999999").text)
    for query in ("account=%25", "account=_", f"account={HOSTILE}"):
        assert "Nothing found" in browser.get(f"accounts/list?{query}").text
    assert browser.get("accounts/list?account=%00").status_code == 400
    for page in ("0", "-1", "9" * 30, "x"):
        answer = browser.get(f"accounts/list?page={page}")
        while answer.status_code == 302:
            assert answer.headers["location"].startswith("/admin/accounts/list?")
            answer = browser.client.get(answer.headers["location"])
        assert answer.status_code in {200, 400}, page


def test_no_hash_is_ever_sent(browser: Browser, sessions: Sessions, chief: int) -> None:
    encoded = account_named(sessions, "chief").password_hash
    for path in ("accounts/list", f"accounts/details/{chief}", "sessions/list", "tokens/list"):
        text = browser.get(path).text
        assert encoded not in text
        assert "argon2" not in text


def test_hostile_words_are_shown_as_text(browser: Browser) -> None:
    answer = browser.get('accounts/list?account="><script>alert(1)</script>&news=<b>made</b>')
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "&#34;&gt;&lt;script&gt;" in answer.text
    assert "<b>made" not in answer.text


def test_changes_are_logged_without_secrets(
    browser: Browser, sessions: Sessions, chief: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        browser.post("accounts/new", username="ada", password="first words", role="user")
        ada = account_named(sessions, "ada").id
        browser.post(f"accounts/{ada}/password", password="other words")
        browser.post("accounts/new", username="ada", password="third words", role="user")
    told = [vars(record) for record in caplog.records if record.name.startswith("functions.api.admin")]
    assert [(line["message"], line["account"], line["by"]) for line in told] == [
        ("account made", ada, chief),
        ("account changed", ada, chief),
    ]
    assert not any(" words" in str(vars(record)) for record in caplog.records)


def add_quickly(sessions: Sessions, name: str) -> None:
    """Make an account without the time that hashing takes."""
    with write(sessions) as session:
        flags = {"is_staff": False, "is_superuser": False, "is_active": True}
        session.add(User(username=name, password_hash="!", created_at=utc_now(), last_login=None, **flags))
