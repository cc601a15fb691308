"""Nothing is changed but by a form of the panel."""

import pytest

from functions.api.csrf import FIELD
from shared.accounts.sessions import csrf_token
from tests.api.admin.conftest import Browser, account_named, make_account
from tests.api.conftest import Sessions

FORM = {"username": "new", "password": "secret words", "role": "superuser"}


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({}, {}),
        ({FIELD: ""}, {}),
        ({FIELD: "0" * 64}, {}),
        ({}, {"X-CSRFToken": "0" * 64}),
        ({}, {"Sec-Fetch-Site": "same-origin"}),
    ],
)
def test_a_form_without_the_sessions_token_changes_nothing(
    browser: Browser, sessions: Sessions, fields: dict[str, str], headers: dict[str, str]
) -> None:
    answer = browser.client.post("/admin/accounts/new", data=FORM | fields, headers=headers)
    assert answer.status_code == 403
    assert "This form is too old" in answer.text
    assert account_named(sessions, "new") is None


def test_another_sessions_token_is_none(browser: Browser, sessions: Sessions) -> None:
    answer = browser.client.post("/admin/accounts/new", data=FORM | {FIELD: csrf_token("a" * 43)})
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "something"])
def test_what_a_browser_says_comes_from_elsewhere_changes_nothing(
    browser: Browser, sessions: Sessions, site: str
) -> None:
    data = FORM | {FIELD: csrf_token(browser.key)}
    answer = browser.client.post("/admin/accounts/new", data=data, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert account_named(sessions, "new") is None
    ours = browser.client.post("/admin/accounts/new", data=data, headers={"Sec-Fetch-Site": "same-origin"})
    assert ours.status_code == 303
    assert account_named(sessions, "new") is not None


def test_a_token_beside_the_cookie_does_not_replace_the_form_s(browser: Browser, sessions: Sessions) -> None:
    headers = {"Authorization": f"Token {'0' * 40}"}
    assert browser.client.post("/admin/accounts/new", data=FORM, headers=headers).status_code == 403


def test_looking_changes_nothing(browser: Browser, sessions: Sessions) -> None:
    ada = make_account(sessions, "ada")
    for path in ("role", "password", "activate", "deactivate"):
        assert browser.get(f"accounts/{ada}/{path}?role=staff").status_code == 405
    for path in ("tokens/1/revoke", "sessions/1/end", "failures/1/retry"):
        assert browser.get(path).status_code == 405
    assert browser.get("tokens/new?account=ada").status_code == 200
    assert "of 0" in browser.get("tokens/list").text or "Nothing found" in browser.get("tokens/list").text


def test_a_body_is_bounded(browser: Browser) -> None:
    token = {"X-CSRFToken": csrf_token(browser.key)}
    answer = browser.client.post("/admin/accounts/new", data={"username": "x" * 100_000}, headers=token)
    assert answer.status_code == 413
    files = {"username": ("name.txt", b"file")}
    assert browser.client.post("/admin/accounts/new", files=files, headers=token).status_code == 400
