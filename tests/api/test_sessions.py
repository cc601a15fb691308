"""Logging in and out with a browser, and what a session may do."""

import re
from typing import Any
from urllib.parse import quote_plus, urljoin, urlsplit

import pytest
from fastapi import APIRouter, FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from functions.api.authentication import StaffRoute, UserRoute
from functions.api.csrf import FIELD, find_field
from functions.api.peer import forwarded_address
from functions.api.web.rendering import render
from functions.api.web.targets import safe_target
from shared.accounts.account import Role
from shared.accounts.service import find_user, set_active, set_password
from shared.accounts.throttle import ADDRESS, NAME, admit
from shared.database import write
from tests.api.conftest import Sessions, local_settings, make_client, make_key, running_app

_VALUES = {
    "account": None,
    "is_staff": False,
    "is_superuser": False,
    "form_token": "0" * 64,
    "root": "",
    "asset": str,
    "path": "/",
}
LOGIN, LOGOUT = "/accounts/login/", "/accounts/logout/"
GOOD = {"username": "ada", "password": "secret words"}


def token_of(page: str) -> str:
    found = re.search(f'name="{FIELD}" value="([0-9a-f]{{64}})"', page)
    assert found
    return found[1]


def log_in(client: TestClient, **more: str) -> Any:
    token = token_of(client.get(LOGIN).text)
    return client.post(LOGIN, data=GOOD | {FIELD: token} | more)


@pytest.fixture
def browser(anonymous: TestClient, key: str) -> TestClient:
    """A browser that ada is logged in with."""
    assert log_in(anonymous).status_code == 302
    return anonymous


@pytest.fixture
def echo(fragile_app: FastAPI) -> FastAPI:
    """An application with routes that write: for users, and for staff."""
    router = APIRouter(route_class=UserRoute)

    @router.post("/echo/")
    async def show(request: Request) -> dict[str, object]:
        return {"user": request.state.account.username, "length": len(await request.body())}

    staff = APIRouter(route_class=StaffRoute)

    @staff.post("/staff/")
    def tell(request: Request) -> str:
        return str(request.state.account.username)

    fragile_app.include_router(router)
    fragile_app.include_router(staff)
    make_key(fragile_app.state.services.sessions, "ada")
    return fragile_app


@pytest.fixture
def writer(echo: FastAPI) -> TestClient:
    client = make_client(echo)
    assert log_in(client).status_code == 302
    return client


def test_the_start_page_gives_the_cookie_that_upload_clients_read(anonymous: TestClient) -> None:
    for method in ("GET", "HEAD"):
        answer = anonymous.request(method, "/", follow_redirects=True)
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert re.match(r"csrftoken=[0-9a-f]{64}; ", cookie)
        assert "HttpOnly" not in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
        assert answer.headers["cache-control"] == "no-store"
    first = anonymous.cookies["csrftoken"]
    anonymous.get("/")
    assert anonymous.cookies["csrftoken"] == first
    anonymous.cookies.set("csrftoken", '"><script>', domain="archive.test")
    assert "script" not in anonymous.get("/").headers["set-cookie"]


def test_the_form_runs_no_script_but_ours_and_tells_the_browser_so(anonymous: TestClient) -> None:
    answer = anonymous.get(LOGIN, params={"next": '/frames/?OBJECT="><script>'})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<script>" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "form-action 'self'" in policy
    assert token_of(answer.text) == anonymous.cookies["csrftoken"]


def test_a_login_lets_in_everywhere(anonymous: TestClient, key: str) -> None:
    assert anonymous.get("/frames/").status_code == 401
    answer = log_in(anonymous)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert answer.headers["cache-control"] == "no-store"
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("sessionid="))
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=1209600"} <= set(cookie.split("; "))
    assert anonymous.get("/frames/").json() == {"count": 0, "results": []}
    assert anonymous.get("/frames/1/").status_code == 404


def test_over_tls_cookies_stay_there(app: FastAPI, key: str) -> None:
    client = TestClient(app, base_url="https://archive.test", follow_redirects=False)
    answer = log_in(client)
    assert answer.status_code == 302
    assert all("Secure" in line for line in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize("form", [{"password": "wrong"}, {"username": "nobody"}, {"username": ""}])
def test_a_wrong_login_shows_the_form_again(anonymous: TestClient, key: str, form: dict[str, str]) -> None:
    answer = log_in(anonymous, next="/frames/", **form)
    assert answer.status_code == 400
    assert "There is no account with this name and password." in answer.text
    assert 'value="/frames/"' in answer.text
    assert f'name="username" value="{form.get("username", GOOD["username"])}"' in answer.text
    assert "sessionid" not in anonymous.cookies


@pytest.mark.parametrize("token", ["", "0" * 64, "é", None])
def test_a_login_needs_the_forms_token(anonymous: TestClient, key: str, token: str | None) -> None:
    anonymous.get(LOGIN)
    answer = anonymous.post(LOGIN, data=GOOD | ({} if token is None else {FIELD: token}))
    assert answer.status_code == 403
    assert "too old" in answer.text
    anonymous.cookies.clear()
    assert anonymous.post(LOGIN, data=GOOD | {FIELD: ""}).status_code == 403


def test_each_login_is_a_new_session_and_ends_the_one_before(anonymous: TestClient, key: str) -> None:
    log_in(anonymous)
    first = anonymous.cookies["sessionid"]
    log_in(anonymous)
    assert anonymous.cookies["sessionid"] != first
    old = {"Cookie": f"sessionid={first}"}
    anonymous.cookies.clear()
    assert anonymous.get("/frames/", headers=old).status_code == 401
    anonymous.cookies.set("sessionid", "a" * 43, domain="archive.test")
    log_in(anonymous)
    assert anonymous.cookies["sessionid"] != "a" * 43


def test_the_way_afterwards_stays_here(anonymous: TestClient, key: str) -> None:
    assert log_in(anonymous, next="/frames/?OBJECT=M+31").headers["location"] == "/frames/?OBJECT=M+31"
    for target in ("https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/a\r\nX: y", "/é"):
        assert log_in(anonymous, next=target).headers["location"] == "/"


@given(st.one_of(st.text(max_size=30), st.text("/\\.:@?#%ab\t", max_size=12).map(lambda text: "/" + text)))
def test_no_target_leaves_the_host(target: str) -> None:
    safe = safe_target(target, "/")
    joined = urlsplit(urljoin("https://archive.test/accounts/login/", safe))
    assert (joined.scheme, joined.netloc) == ("https", "archive.test")
    assert safe.startswith("/")
    assert not safe.startswith(("//", "/\\"))
    assert safe.isprintable()
    assert safe.isascii()


@given(st.text(), st.text(), st.text())
def test_values_cannot_leave_the_form(target: str, username: str, problem: str) -> None:
    def marks(target: str, username: str, problem: str) -> int:
        page = render("login.html", _VALUES | {"target": target, "username": username, "problem": problem})
        return sum(map(page.count, ("<", '"', ">")))

    assert marks(target, "u" + username, "p" + problem) == marks("", "u", "p")


def test_logging_out_ends_the_session(browser: TestClient) -> None:
    key = browser.cookies["sessionid"]
    page = browser.get(LOGOUT)
    assert page.status_code == 200
    assert browser.post(LOGOUT).status_code == 403
    assert browser.post(LOGOUT, data={FIELD: "0" * 64}).status_code == 403
    answer = browser.post(LOGOUT, data={FIELD: token_of(page.text)})
    assert (answer.status_code, answer.headers["location"]) == (302, LOGIN)
    assert "sessionid" not in browser.cookies
    assert browser.get("/frames/", headers={"Cookie": f"sessionid={key}"}).status_code == 401
    assert browser.post(LOGOUT).status_code == 302


def test_switching_off_and_another_password_end_sessions(browser: TestClient, sessions: Sessions) -> None:
    assert browser.get("/frames/").status_code == 200
    with write(sessions) as session:
        user = find_user(session, "ada")
        assert user is not None
        set_active(session, user, active=False)
    answer = browser.get("/frames/")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Token")
    with write(sessions) as session:
        user = find_user(session, "ada")
        assert user is not None
        set_active(session, user, active=True)
    log_in(browser)
    assert browser.get("/frames/").status_code == 200
    with write(sessions) as session:
        user = find_user(session, "ada")
        assert user is not None
        set_password(session, user, "another one")
    assert browser.get("/frames/").status_code == 401


def test_a_token_outweighs_a_session(browser: TestClient, staff_key: str) -> None:
    assert browser.get("/frames/", headers={"Authorization": f"Token {staff_key}"}).status_code == 200
    answer = browser.get("/frames/", headers={"Authorization": "Token wrong"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token."})


@pytest.mark.parametrize("value", ["", "x", "a" * 43, "%00", "a" * 5000, '"', "é".encode().decode("latin-1")])
def test_another_cookie_lets_nobody_in(anonymous: TestClient, value: str) -> None:
    answer = anonymous.get("/frames/", headers={b"cookie": b"sessionid=" + value.encode("latin-1")})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Authentication credentials were not provided."})


def test_a_session_needs_its_token_to_write(writer: TestClient) -> None:
    token = writer.cookies["csrftoken"]
    missing, wrong = "CSRF Failed: CSRF token missing.", "CSRF Failed: CSRF token incorrect."
    for method in ("POST", "PUT", "DELETE", "PATCH", "PURGE"):
        answer = writer.request(method, "/echo/")
        assert (answer.status_code, answer.json()) == (403, {"detail": missing})
    for value in ("x", "0" * 64, "é"):
        answer = writer.post("/echo/", headers={"X-CSRFToken": value.encode("utf-8")})
        assert (answer.status_code, answer.json()) == (403, {"detail": wrong})
    assert writer.post("/echo/", headers={"X-CSRFToken": token}).json() == {"user": "ada", "length": 0}
    assert writer.get("/echo/").status_code == 405
    writer.cookies.set("csrftoken", "0" * 64, domain="archive.test")
    assert writer.post("/echo/", headers={"X-CSRFToken": "0" * 64}).status_code == 403


def test_the_token_may_be_a_field_and_the_body_stays_whole(writer: TestClient) -> None:
    token = writer.cookies["csrftoken"]
    rest = "x" * 200_000
    form = {FIELD: token, "rest": rest}
    assert writer.post("/echo/", data=form).json()["length"] == len(FIELD) + len(token) + len(rest) + 7
    parts = {FIELD: (None, token), "file": ("a.fits", b"y" * 300_000)}
    assert writer.post("/echo/", files=parts).json()["length"] > 300_000
    assert writer.post("/echo/", data={"rest": rest, FIELD: token}).status_code == 403
    assert writer.post("/echo/", json={FIELD: token}).status_code == 403


def test_a_token_in_the_header_needs_no_other(echo: FastAPI, writer: TestClient) -> None:
    key = make_key(echo.state.services.sessions, "grace", Role.STAFF)
    authorized = {"Authorization": f"Token {key}"}
    assert writer.post("/echo/", headers=authorized).json()["user"] == "grace"
    assert writer.post("/staff/", headers=authorized).json() == "grace"


def test_a_users_session_is_not_staff(writer: TestClient) -> None:
    token = writer.cookies["csrftoken"]
    answer = writer.post("/staff/", headers={"X-CSRFToken": token})
    assert (answer.status_code, answer.json()) == (
        403,
        {"detail": "You do not have permission to perform this action."},
    )


def test_below_a_prefix_the_forms_stay_there(app: FastAPI, key: str) -> None:
    client = TestClient(app, base_url="http://archive.test", root_path="/prod", follow_redirects=False)
    page = client.get("/prod" + LOGIN).text
    assert 'action="/prod/accounts/login/"' in page
    answer = client.post("/prod" + LOGIN, data=GOOD | {FIELD: token_of(page)})
    assert (answer.status_code, answer.headers["location"]) == (302, "/prod/")


def test_wrong_passwords_slow_down_both_doors(anonymous: TestClient, key: str) -> None:
    for _ in range(NAME.free + 1):
        assert anonymous.post("/api-token-auth/", data=GOOD | {"password": "no"}).status_code == 400
    for username in ("ada", "ada"):
        answer = anonymous.post("/api-token-auth/", data=GOOD | {"username": username})
        assert answer.status_code == 429
        assert re.fullmatch(r"Request was throttled\. Expected available in \d+ seconds?\.", answer.json()["detail"])
        assert int(answer.headers["retry-after"]) in (1, 2)
    answer = log_in(anonymous)
    assert answer.status_code == 429
    assert "retry-after" in answer.headers
    assert "Too many wrong passwords" in answer.text


def test_names_that_nobody_has_slow_down_alike(anonymous: TestClient, key: str) -> None:
    def answers(username: str) -> list[tuple[int, str]]:
        form = {"username": username, "password": "no"}
        found = [anonymous.post("/api-token-auth/", data=form) for _ in range(NAME.free + 2)]
        return [(answer.status_code, re.sub(r"\d+ seconds?", "N", answer.text)) for answer in found]

    assert answers("ada") == answers("nobody")


@pytest.mark.parametrize(
    ("trusted", "status"), [([], 400), (["192.0.2.0/24"], 429), (["10.0.0.0/8"], 400)], ids=["none", "ours", "others"]
)
def test_an_address_is_believed_from_trusted_proxies_only(tmp_path: Any, trusted: list[str], status: int) -> None:
    with running_app(local_settings(tmp_path, trusted_proxies=trusted)) as app:
        for number in range(ADDRESS.free + 1):
            with write(app.state.services.sessions) as session:
                admit(session, f"n{number}", "198.51.100.1")
        client = TestClient(app, client=("192.0.2.7", 1))
        headers = {"X-Forwarded-For": "evil, 198.51.100.1"}
        answer = client.post("/api-token-auth/", data={"username": "a", "password": "no"}, headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("203.0.113.1", ["198.51.100.1"], "203.0.113.1"),
        ("192.0.2.7", ["198.51.100.1"], "198.51.100.1"),
        ("192.0.2.7", ["6.6.6.6, 198.51.100.1:4711, 192.0.2.9"], "198.51.100.1"),
        ("192.0.2.7", ["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        ("192.0.2.7", ["6.6.6.6, unknown"], "192.0.2.7"),
        ("192.0.2.7", ["[2001:db8::1]:80"], "2001:db8::1"),
        ("192.0.2.7", ["192.0.2.8"], "192.0.2.8"),
        (None, ["198.51.100.1"], None),
        ("testclient", ["198.51.100.1"], "testclient"),
    ],
)
def test_the_right_most_address_that_is_no_proxys(peer: str | None, forwarded: list[str], found: str | None) -> None:
    assert forwarded_address(peer, forwarded, ["192.0.2.0/24"]) == found


@given(st.one_of(st.none(), st.text()), st.lists(st.text()))
def test_any_forwarded_header_is_read(peer: str | None, forwarded: list[str]) -> None:
    found = forwarded_address(peer, forwarded, ["0.0.0.0/0", "::/0"])
    assert found is None or isinstance(found, str)


TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=3), st.integers(0, 10))
def test_the_field_is_found_in_a_form_and_never_half(value: str, others: list[tuple[str, str]], cut: int) -> None:
    kind = "application/x-www-form-urlencoded"
    pairs = [(f"x{name}", other) for name, other in others]
    before = "".join(f"{quote_plus(name)}={quote_plus(other)}&" for name, other in pairs)
    body = f"{before}{FIELD}={quote_plus(value)}".encode()
    assert find_field(kind, body, whole=True) == value
    assert find_field(kind, body, whole=False) is None
    assert find_field(kind, body + b"&a=b", whole=False) == value


@given(
    st.binary(max_size=200), st.sampled_from(["multipart/form-data", "application/x-www-form-urlencoded", "", "a/b"])
)
def test_any_body_is_searched(body: bytes, kind: str) -> None:
    found = find_field(kind, body, whole=False)
    assert found is None or FIELD.encode() in body


@pytest.mark.parametrize("path", ["/frames/zip/", "/zip/"])
def test_zips_by_form_need_the_forms_token_of_a_session(browser: TestClient, path: str) -> None:
    token = browser.cookies["csrftoken"]
    answer = browser.post(path, data={"frame_ids[]": "4711"})
    assert (answer.status_code, answer.json()) == (403, {"detail": "CSRF Failed: CSRF token missing."})
    assert browser.post(path, data={FIELD: token, "frame_ids[]": "4711"}).status_code == 404
    assert browser.post(path, data={FIELD: token}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/frames/create/"),
        ("POST", "/uploads/"),
        ("DELETE", "/frames/1/delete/"),
        ("POST", "/ingest/failures/1/retry/"),
    ],
)
def test_every_route_that_writes_needs_it(browser: TestClient, method: str, path: str) -> None:
    answer = browser.request(method, path)
    assert (answer.status_code, answer.json()) == (403, {"detail": "CSRF Failed: CSRF token missing."})
