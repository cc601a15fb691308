import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import text
from starlette.requests import Request
from starlette.testclient import TestClient

from functions.api.authentication import StaffRoute, read_key
from shared.accounts.account import Role
from shared.accounts.service import find_user, set_active
from shared.accounts.tokens import find_by_token
from shared.database import read, write
from tests.api.conftest import PutFrame, Sessions, make_client, make_key

PROTECTED = [
    *("/frames/", "/frames/aggregate/", "/frames/facets/", "/frames/nights/", "/frames/sky/"),
    *("/frames/1/", "/frames/1/preview/", "/frames/1/download/"),
]


@pytest.mark.parametrize("name", ["Authorization", "authorization", "Authentication"])
@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN", "Bearer", "bearer", " Token", "Token  ", "Token\t"])
def test_every_spelling_lets_in(anonymous: TestClient, key: str, name: str, scheme: str) -> None:
    assert anonymous.get("/frames/", headers={name: f"{scheme} {key}"}).status_code == 200


def test_another_scheme_leaves_the_word_to_the_other_header(anonymous: TestClient, key: str) -> None:
    headers = {"Authorization": "Basic YTpi", "Authentication": f"Token {key}"}
    assert anonymous.get("/frames/", headers=headers).status_code == 200


@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("", "Authentication credentials were not provided."),
        ("Basic YTpi", "Authentication credentials were not provided."),
        ("Tokenabc", "Authentication credentials were not provided."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Bearer   ", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
        ("Token wrong", "Invalid token."),
        ("Token " + "0" * 40, "Invalid token."),
        ("Token " + "0" * 60_000, "Invalid token."),
        (b"Token \xff\xfe", "Invalid token."),
    ],
)
def test_who_may_not_in_is_told_why(anonymous: TestClient, path: str, header: str | bytes | None, detail: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = anonymous.get(path, headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": detail})
    assert answer.headers["www-authenticate"] == "Token"
    assert answer.headers["content-type"] == "application/json"


def test_an_inactive_user_gets_nothing(anonymous: TestClient, sessions: Sessions, key: str) -> None:
    with write(sessions) as session:
        user = find_user(session, "ada")
        assert user is not None
        set_active(session, user, active=False)
    answer = anonymous.get("/frames/", headers={"Authorization": f"Token {key}"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "User inactive or deleted."})
    assert answer.headers["www-authenticate"] == "Token"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"])
@pytest.mark.parametrize("path", PROTECTED)
def test_the_token_is_looked_at_before_the_method(
    anonymous: TestClient, client: TestClient, path: str, method: str
) -> None:
    assert anonymous.request(method, path).status_code == 401
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()) == (405, {"detail": f'Method "{method}" not allowed.'})
    assert answer.headers["allow"] == "GET, HEAD"


def test_the_token_is_looked_at_before_frame_and_parameters(anonymous: TestClient, put: PutFrame) -> None:
    there, away = put(), 4711
    for tail in ("", "preview/", "preview/?size=no", "download/", "download/?redirect=perhaps"):
        answers = [anonymous.get(f"/frames/{frame_id}/{tail}") for frame_id in (there, away)]
        assert [answer.status_code for answer in answers] == [401, 401]
        assert answers[0].content == answers[1].content
    assert anonymous.get("/frames/?limit=x").status_code == 401


def test_staff_routes_are_for_staff(fragile_app: FastAPI) -> None:
    sessions = fragile_app.state.services.sessions
    key, staff_key = make_key(sessions, "ada"), make_key(sessions, "grace", Role.STAFF)
    anonymous = make_client(fragile_app)
    router = APIRouter(route_class=StaffRoute)

    @router.post("/staff/")
    def show(request: Request) -> str:
        return str(request.state.account.username)

    fragile_app.include_router(router)
    assert anonymous.post("/staff/").status_code == 401
    for method in ("POST", "GET"):
        answer = anonymous.request(method, "/staff/", headers={"Authorization": f"Token {key}"})
        assert (answer.status_code, answer.json()) == (
            403,
            {"detail": "You do not have permission to perform this action."},
        )
    staff = {"Authorization": f"Token {staff_key}"}
    assert anonymous.post("/staff/", headers=staff).json() == "grace"
    assert anonymous.get("/staff/", headers=staff).headers["allow"] == "POST"


def test_the_use_of_a_token_is_written_down_once(client: TestClient, sessions: Sessions, key: str) -> None:
    def last_used() -> object:
        with read(sessions) as session:
            return find_by_token(session, key)[1].last_used

    assert last_used() is None
    client.get("/frames/")
    first = last_used()
    assert first is not None
    client.get("/frames/")
    assert last_used() == first


def test_an_index_that_cannot_be_written_still_answers(fragile_app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    sessions = fragile_app.state.services.sessions
    client = make_client(fragile_app, make_key(sessions, "ada"))
    with write(sessions) as session:
        session.execute(text("CREATE TRIGGER no BEFORE UPDATE ON tokens BEGIN SELECT RAISE(ABORT, 'full'); END"))
    assert client.get("/frames/").status_code == 200
    assert [record.message for record in caplog.records] == ["use of a token not recorded"]


@pytest.mark.parametrize("header", ["", " ", "Token\xa0abc", "Digest a", "abc"])
def test_other_headers_hold_no_key(header: str) -> None:
    assert read_key(header) is None
