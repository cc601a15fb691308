import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message

from functions.api.credentials import CredentialFieldsError, check_fields, read_fields
from shared.accounts.service import find_user, set_active
from shared.database import write
from tests.api.conftest import Sessions

PATH = "/api-token-auth/"
GOOD = {"username": "ada", "password": "secret words"}
REFUSED = {"non_field_errors": ["Unable to log in with provided credentials."]}
REQUIRED = ["This field is required."]


def both(texts: list[str]) -> dict[str, list[str]]:
    return {"username": texts, "password": texts}


@pytest.mark.parametrize(
    "body",
    [
        {"data": GOOD},
        {"json": GOOD},
        {"files": {name: (None, value) for name, value in GOOD.items()}},
        {"data": {"username": " ada ", "password": "secret words", "next": "/"}},
    ],
    ids=["form", "json", "multipart", "name with blanks"],
)
def test_name_and_password_give_a_token_that_lets_in(anonymous: TestClient, key: str, body: dict[str, Any]) -> None:
    answer = anonymous.post(PATH, **body)
    assert answer.status_code == 200
    assert list(answer.json()) == ["token"]
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()["token"]
    assert token != key
    assert anonymous.get("/frames/", headers={"Authorization": f"Token {token}"}).status_code == 200
    assert anonymous.get("/frames/", headers={"Authorization": f"Token {key}"}).status_code == 200


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", "wrong"),
        ("nobody", "secret words"),
        ("Ada", "secret words"),
        ("ada", "secret words "),
        ("ada", "p" * 60_000),
        ("é", "é"),
    ],
)
def test_wrong_ones_are_refused_alike(anonymous: TestClient, key: str, username: str, password: str) -> None:
    answer = anonymous.post(PATH, data={"username": username, "password": password})
    assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert answer.headers["cache-control"] == "no-store"


def test_an_inactive_user_is_refused(anonymous: TestClient, key: str, sessions: Sessions) -> None:
    with write(sessions) as session:
        user = find_user(session, "ada")
        assert user is not None
        set_active(session, user, active=False)
    answer = anonymous.post(PATH, data=GOOD)
    assert (answer.status_code, answer.json()) == (400, REFUSED)


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({}, {"username": REQUIRED, "password": REQUIRED}),
        ({"username": "ada"}, {"password": REQUIRED}),
        ({"username": " ", "password": ""}, both(["This field may not be blank."])),
        ({"username": None, "password": None}, both(["This field may not be null."])),
        ({"username": [1], "password": True}, both(["Not a valid string."])),
        ({"username": "a\0", "password": "b\0"}, both(["Null characters are not allowed."])),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
        ("x", {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}),
        ({"username": "ada", "password": 12345}, REFUSED),
        ({"username": "\ud800", "password": "\ud800"}, REFUSED),
    ],
)
def test_fields_that_are_missing_or_odd_are_named(anonymous: TestClient, fields: object, errors: object) -> None:
    answer = anonymous.post(PATH, content=json.dumps(fields), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, errors)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_an_empty_body_lacks_both_fields(anonymous: TestClient, kind: str) -> None:
    answer = anonymous.post(PATH, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()) == (400, {"username": REQUIRED, "password": REQUIRED})


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"\xff", 400),
        ("application/json", b"[" * 60_000, 400),
        ("application/json", b"1" * 60_000, 400),
        ("application/x-www-form-urlencoded", b"a=1&" * 1000, 400),
        ("multipart/form-data", b"no boundary", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken", 400),
        ("multipart/form-data; boundary=x", b"--y--", 400),
        ("text/plain", b"username=ada&password=secret", 415),
        ("application/json", b" " * 65_537, 413),
        ("multipart/form-data; boundary=x", b"-" * 65_537, 413),
    ],
)
def test_a_body_that_cannot_be_read_is_told_so(anonymous: TestClient, kind: str, body: bytes, status: int) -> None:
    answer = anonymous.post(PATH, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    if status != 400:
        assert list(answer.json()) == ["detail"]


def test_a_file_is_no_password(anonymous: TestClient, key: str) -> None:
    answer = anonymous.post(PATH, files={"username": (None, "ada"), "password": ("p.txt", "secret words")})
    assert (answer.status_code, answer.json()) == (400, {"password": ["Not a valid string."]})


def test_a_huge_body_is_refused_before_it_is_read() -> None:
    received = 0

    async def receive() -> Message:
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b"x" * 10_000, "more_body": True}

    request = Request({"type": "http", "headers": [(b"content-type", b"application/json")]}, receive)
    with pytest.raises(HTTPException) as caught:
        anyio.run(read_fields, request)
    assert caught.value.status_code == 413
    assert received == 7


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_tokens_are_made_by_post_only(anonymous: TestClient, method: str) -> None:
    answer = anonymous.request(method, PATH)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        assert answer.json() == {"detail": f'Method "{method}" not allowed.'}


def test_many_logins_at_once_do_not_hold_up_queries(client: TestClient) -> None:
    def log_in(number: int) -> int:
        return int(client.post(PATH, data=GOOD | {"username": f"nobody{number}"}).status_code)

    with ThreadPoolExecutor(30) as pool:
        logins = [pool.submit(log_in, number) for number in range(30)]
        assert client.get("/frames/?limit=1").status_code == 200
        assert not all(login.done() for login in logins)
        assert [login.result() for login in logins] == [400] * 30


def test_neither_password_nor_token_reaches_a_log(
    anonymous: TestClient, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = anonymous.post(PATH, data=GOOD).json()["token"]
    anonymous.post(PATH, data={"username": "ada", "password": "sesame"})
    anonymous.get("/frames/", headers={"Authorization": f"Token {token}"})
    told = " ".join(str(vars(record)) for record in caplog.records)
    assert "login" in told
    for secret in ("'secret'", "sesame", token, key):
        assert secret not in told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.one_of(JSON, st.fixed_dictionaries({"username": JSON, "password": JSON})))
def test_any_fields_are_read_or_refused(fields: object) -> None:
    try:
        username, password = check_fields(fields)
    except CredentialFieldsError as error:
        texts = error.errors
    else:
        texts = {"read": [username, password]}
    assert texts
    assert all(all(list_of_texts) for list_of_texts in texts.values())


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "a/b"]
    ),
)
def test_any_body_is_answered(app: FastAPI, body: bytes, kind: str) -> None:
    answer = TestClient(app).post(PATH, content=body, headers={"Content-Type": kind})
    assert answer.status_code in (400, 415)
    assert answer.json()
