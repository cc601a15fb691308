"""Targets looked up by name: by the search page, and by programs."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from functions.api.csrf import FIELD
from tests.api.conftest import local_settings, make_client, make_key, running_app
from tests.api.web.reader import Reader
from tests.resolver.sesame import M51, Sesame, resolver_server


@pytest.fixture(scope="module")
def sesame() -> Iterator[Sesame]:
    with resolver_server() as server:
        yield server


@pytest.fixture(scope="module")
def seeing(sesame: Sesame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """An application that looks up names."""
    with running_app(local_settings(tmp_path_factory.mktemp("seeing"), name_resolver_url=sesame.url)) as app:
        yield app


@pytest.fixture(scope="module")
def program(seeing: FastAPI) -> TestClient:
    return make_client(seeing, make_key(seeing.state.services.sessions, "ada"))


@pytest.fixture
def person(seeing: FastAPI, program: TestClient) -> TestClient:
    browser = make_client(seeing)
    browser.get("/accounts/login/")
    fields = {"username": "ada", "password": "secret words", FIELD: browser.cookies["csrftoken"]}
    assert browser.post("/accounts/login/", data=fields).status_code == 302
    return browser


def test_a_name_becomes_a_position_in_the_url(person: TestClient) -> None:
    answer = person.get("/?resolve=M+51&RA=1&DEC=&radius=30&FILTER=V&OBJECT=&view=grid")
    assert answer.status_code == 302
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert float(asked["RA"][0]) == pytest.approx(M51[0], abs=1e-6)
    assert float(asked["DEC"][0]) == pytest.approx(M51[1], abs=1e-6)
    assert {name: asked[name] for name in asked if name not in ("RA", "DEC")} == {
        "radius": ["30"],
        "FILTER": ["V"],
        "view": ["grid"],
    }
    assert person.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("<b>nobody</b>", 200, "No position is known by the name “&lt;b&gt;nobody&lt;/b&gt;”."),
        ("x" * 101, 400, "A name has 1 to 100 printable characters."),
        ("a\0b", 400, "A name has 1 to 100 printable characters."),
    ],
)
def test_what_is_not_known_is_told_at_the_field(person: TestClient, name: str, status: int, words: str) -> None:
    answer = person.get("/", params={"resolve": name, "OBJECT": "x"})
    assert (answer.status_code, words in answer.text) == (status, True)
    (field,) = Reader(answer.text).all("input", name="resolve")
    assert (field["value"], field["aria-describedby"]) == (name, "resolve-problem")


def test_programs_ask_for_it(program: TestClient, seeing: FastAPI) -> None:
    answer = program.get("/resolve/?name=M+51")
    assert answer.json() == {"name": "M 51", "ra": pytest.approx(M51[0]), "dec": pytest.approx(M51[1], abs=1e-6)}
    unknown = program.get("/resolve/?name=nobody")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "No position is known by the name “nobody”."})
    for query in ("", "?name=", "?name=%00", "?name=" + "x" * 101):
        assert program.get(f"/resolve/{query}").status_code == 400
    assert make_client(seeing).get("/resolve/?name=M+51").status_code == 401


def test_a_resolver_that_is_away(tmp_path: Path) -> None:
    with running_app(local_settings(tmp_path, name_resolver_url="http://127.0.0.1:9/?{name}")) as app:
        answer = make_client(app, make_key(app.state.services.sessions, "ada")).get("/resolve/?name=M+51")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "127.0.0.1" not in answer.text


def test_without_a_resolver_nothing_is_looked_up(browser: TestClient, client: TestClient) -> None:
    page = browser.get("/?resolve=M+51")
    assert page.status_code == 200
    assert not Reader(page.text).all("input", name="resolve")
    assert client.get("/resolve/?name=M+51").json() == {"detail": "This archive looks up no names."}
