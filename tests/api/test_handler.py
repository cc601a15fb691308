import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from shared.accounts.service import create_user
from shared.accounts.tokens import issue_token
from shared.database import make_engine, make_session_factory, write
from shared.index.frames import put_frame
from shared.migrations import upgrade
from tests.api.conftest import NO_STORE, local_settings
from tests.api.gateways import GATEWAYS, function_url_event, http_event, rest_event
from tests.index.factory import make_record

REPOSITORY = Path(__file__).resolve().parents[2]
RUNTIME = """
import json, sys
from functions.api.handler import handler
print(json.dumps(sorted(sys.modules)), flush=True)
for line in sys.stdin:
    print(json.dumps(handler(json.loads(line), None)), flush=True)
"""
MakeEvent = Callable[..., dict[str, Any]]


class Function:
    """The handler in a process of its own, as on Lambda; it answers one event after the other."""

    def __init__(self, home: Path) -> None:
        names = {f"FITSVAULT_{name.upper()}": value for name, value in NO_STORE.items()}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FITSVAULT_")}
        self.log = home / "function.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", RUNTIME],
                cwd=home,
                env={**clean, **names, "FITSVAULT_HOME": str(home), "PYTHONPATH": str(REPOSITORY)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.modules = set(self._read())

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(event) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = self._read()
        return answer

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        return json.loads(line)

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        assert self.process.wait(30) == 0, self.log.read_text()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("function")


@pytest.fixture(scope="module")
def key(home: Path) -> str:
    engine = make_engine(local_settings(home).effective_database_url)
    upgrade(engine)
    with write(make_session_factory(engine)) as session:
        put_frame(session, make_record(object_name="M 31 é+%"))
        issued = issue_token(session, create_user(session, "ada", "secret words"), "test")
    engine.dispose()
    return issued


@pytest.fixture(scope="module")
def function(home: Path, key: str) -> Iterator[Function]:
    running = Function(home)
    yield running
    running.stop()


@pytest.fixture(params=list(GATEWAYS.values()), ids=list(GATEWAYS))
def make_event(request: pytest.FixtureRequest) -> MakeEvent:
    make: MakeEvent = request.param
    return make


def body_of(answer: dict[str, Any]) -> Any:
    assert not answer["isBase64Encoded"]
    return json.loads(answer["body"])


def test_a_query_is_answered(function: Function, make_event: MakeEvent, key: str) -> None:
    answer = function(make_event("GET", "/frames/", "limit=10", {"Authorization": f"Token {key}"}))
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/json"
    assert body_of(answer)["count"] == 1


def test_who_may_not_in_is_told(function: Function, make_event: MakeEvent) -> None:
    answer = function(make_event("GET", "/frames/"))
    assert (answer["statusCode"], answer["headers"]["www-authenticate"]) == (401, "Token")
    assert body_of(answer) == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("OBJECT=M%2031%20%C3%A9%2B%25", 1),
        ("OBJECT=M+31+%c3%a9%2b%25", 1),
        ("FILTER=Blue&FILTER=Red", 1),
        ("FILTER=Red&FILTER=Blue", 0),
        ("FILTER=&SITE=ALL&x", 1),
    ],
)
def test_parameters_arrive_decoded_once_and_repeated_ones_in_order(
    function: Function, make_event: MakeEvent, key: str, query: str, count: int
) -> None:
    answer = function(make_event("GET", "/frames/", query, {"Authorization": f"Token {key}"}))
    assert body_of(answer)["count"] == count


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"username": "ada", "password": "secret words"}'),
        ("application/x-www-form-urlencoded", b"username=ada&password=secret+words"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\nada\r\n'
            b'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nsecret words\r\n--x--\r\n',
        ),
    ],
)
def test_a_body_in_base64_is_read(function: Function, make_event: MakeEvent, content_type: str, body: bytes) -> None:
    answer = function(make_event("POST", "/api-token-auth/", "", {"Content-Type": content_type}, body))
    assert answer["statusCode"] == 200
    assert len(body_of(answer)["token"]) == 40


def test_a_body_as_text_is_read(function: Function) -> None:
    event = http_event("POST", "/api-token-auth/", "", {"Content-Type": "application/json"})
    event["body"] = json.dumps({"username": "ada", "password": "secret words"})
    assert function(event)["statusCode"] == 200


def test_a_path_may_be_percent_encoded(function: Function, make_event: MakeEvent, key: str) -> None:
    headers = {"Authorization": f"Token {key}"}
    assert function(make_event("GET", "/%66rames/1/", "", headers))["statusCode"] == 200
    for path in ("/frames/%C3%A9/", "/frames/1%0A/", "/frames/%252e/"):
        assert function(make_event("GET", path, "", headers))["statusCode"] == 404


def test_a_download_is_a_redirect_with_a_cookie(function: Function, make_event: MakeEvent, key: str) -> None:
    answer = function(make_event("GET", "/frames/1/download/", "", {"Authorization": f"Token {key}"}))
    assert answer["statusCode"] == 302
    assert answer["headers"]["location"].startswith("http://127.0.0.1:9/frames/sutherland/")
    cookies = answer.get("cookies") or [answer["headers"]["set-cookie"]]
    assert cookies == ["fileDownload=true; Path=/"]


def test_head_has_no_body(function: Function, make_event: MakeEvent, key: str) -> None:
    answer = function(make_event("HEAD", "/frames/1/", "", {"Authorization": f"Token {key}"}))
    assert (answer["statusCode"], answer["body"]) == (200, "")


def test_a_method_that_is_not_allowed(function: Function, make_event: MakeEvent, key: str) -> None:
    answer = function(make_event("DELETE", "/frames/1/", "", {"Authorization": f"Token {key}"}))
    assert (answer["statusCode"], answer["headers"]["allow"]) == (405, "GET, HEAD")


def behind_domain(path: str) -> dict[str, Any]:
    """A REST API with a custom domain and base path: both paths have it, the proxy parameter has not."""
    event = rest_event("GET", path)
    event["path"] = event["requestContext"]["path"] = f"/archive{path}"
    return event


STAGES = {
    "REST API with a stage": (lambda path: rest_event("GET", path, stage="prod"), "/prod"),
    "HTTP API with a stage": (lambda path: http_event("GET", path, stage="prod"), "/prod"),
    "HTTP API without": (lambda path: http_event("GET", path), ""),
    "function URL": (lambda path: function_url_event("GET", path), ""),
    "REST API behind a domain": (behind_domain, "/archive"),
}


@pytest.mark.parametrize(("make", "prefix"), STAGES.values(), ids=STAGES.keys())
def test_a_prefix_is_left_out_of_routing_and_kept_in_links(function: Function, make: MakeEvent, prefix: str) -> None:
    assert function(make("/frames/"))["statusCode"] == 401
    assert function(make("/nothing/"))["statusCode"] == 404
    assert f"'{prefix}/openapi.json'" in function(make("/docs"))["body"]
    assert body_of(function(make("/openapi.json")))["servers"] == [{"url": prefix or "/"}]
    moved = function(make("/frames/12/headers"))
    assert moved["statusCode"] == 301
    there = urljoin(f"https://host{prefix}/frames/12/headers", moved["headers"]["location"])
    assert there == f"https://host{prefix}/frames/12/headers/"


def test_pages_are_text(function: Function, make_event: MakeEvent) -> None:
    answer = function(make_event("GET", "/accounts/login/"))
    assert not answer["isBase64Encoded"]
    assert "fitsvault" in answer["body"]


def test_an_odd_event_is_answered(function: Function) -> None:
    event = rest_event("GET", "/health")
    event |= {"pathParameters": None, "headers": None, "multiValueHeaders": None}
    assert function(event)["statusCode"] == 301


def test_the_package_needs_no_image_library(function: Function) -> None:
    heavy = {"astropy", "numpy", "PIL", "uvicorn", "httpx", "pytest", "typer", "rich"}
    assert not heavy & function.modules


def test_logs_are_lines_of_json_without_secrets(function: Function, key: str) -> None:
    headers = {"Authorization": f"Token {key}"}
    function(rest_event("GET", "/frames/1/download/", "", headers))
    lines = function.log.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert events
    for secret in (key, "X-Amz-Signature", '"secret words"'):
        assert not any(secret in line for line in lines)


def test_a_function_works_with_its_own_schema_only(tmp_path: Path) -> None:
    engine = make_engine(local_settings(tmp_path).effective_database_url)
    upgrade(engine, "0007")
    function = Function(tmp_path)
    event = http_event("GET", "/health/", "", {})
    answer = function(event)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "5")
    assert body_of(answer) == {"detail": "The index is of another version than the archive. Try again later."}
    assert "run `fitsvault db upgrade`" in function.log.read_text()
    upgrade(engine)
    assert body_of(function(event))["database"] == "ok"
    engine.dispose()
    function.stop()
