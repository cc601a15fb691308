"""Parts of the API: each found by all of its paths, imported when it is asked for, and enough for itself."""

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from functions.api.dependencies import Services
from functions.api.lazy import LazyRoutes, key_of
from functions.api.parts import PARTS
from tests.test_architecture import REPOSITORY

SAMPLES = {
    "frame_id": "12",
    "failure_id": "3",
    "bundle_id": "0123456789abcdef" * 2,
    "asked_version": "1",
    "name": "main.js",
    "path": "frames/list",
}
START = """
import os, sys
from functions.api.app import create_app
from functions.api.parts import PARTS
app = create_app(pool="function")
"""


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/", ("", "")),
        ("/frames/", ("frames", "frames")),
        ("/frames", ("frames", "frames")),
        ("/frames/12/headers/", ("frames", "frames/headers")),
        ("/frames/zip", ("frames", "frames/zip")),
        ("//frames/", ("", "/frames")),
        ("", ("", "")),
    ],
)
def test_keys_are_the_first_segment_and_the_last(path: str, keys: tuple[str, str]) -> None:
    assert key_of(path) == keys


def test_every_route_is_found_by_its_path(app: FastAPI) -> None:
    for part in set(PARTS.values()):
        for route in part(app.state.services):
            assert isinstance(route, APIRoute | Mount)
            path = route.path_format.format(**SAMPLES)
            first, key = key_of(path)
            assert PARTS.get(key, PARTS.get(first)) is part, path


def python(code: str, app: FastAPI, *arguments: str) -> str:
    """Run code beside an application that nothing was imported for yet, with the index of ``app``."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START + code, *arguments],
        cwd=REPOSITORY,
        env={"FITSVAULT_HOME": str(app.state.services.settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_list_of_frames_needs_no_other_part(app: FastAPI, key: str) -> None:
    others = [
        "functions.api.routes.",
        "functions.api.web",
        "functions.api.admin",
        "jinja2",
        "sqladmin",
        "argon2",
        "boto3",
        "minio",
    ]
    others += ["shared.bundle.plan", "shared.fits", "shared.intake", "shared.ingest", "shared.store.client"]
    code = """
from starlette.testclient import TestClient
answer = TestClient(app).get("/frames/", headers={"Authorization": f"Token {sys.argv[1]}"})
print(answer.status_code, *(name for name in sys.modules if name.startswith(tuple(sys.argv[2:]))))
"""
    assert python(code, app, key, *others).split() == ["200", "functions.api.routes.frames"]


def test_each_part_stands_alone(app: FastAPI) -> None:
    code = """
from sqlalchemy.orm import configure_mappers
for load in dict.fromkeys(PARTS.values()):
    child = os.fork()
    if not child:
        load(app.state.services)
        configure_mappers()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(load.__name__)
"""
    assert python(code, app) == ""


class Counted:
    """A part that counts how often it is loaded."""

    def __init__(self, *routes: Any) -> None:
        self.routes = routes
        self.times = 0

    def __call__(self, _: Services) -> Any:
        self.times += 1
        return self.routes


def answering(text: str) -> Any:
    return lambda _: PlainTextResponse(text)


@pytest.fixture
def parts() -> dict[str, Counted]:
    inner = Starlette(routes=[Route("/user/{name}", answering("inner"), name="user")])
    view = Counted(Route("/view/{name}/", answering("view"), name="view"), Route("/see/", answering("see")))
    return {
        "view": view,
        "see": view,
        "view/upload": Counted(Mount("/view/upload", PlainTextResponse("sent"))),
        "admin": Counted(Mount("/admin", inner, name="admin")),
    }


@pytest.fixture
def client(parts: dict[str, Counted], app: FastAPI) -> TestClient:
    return TestClient(Starlette(routes=[LazyRoutes(parts, app.state.services)]))


@pytest.mark.parametrize(
    ("path", "status", "text", "loaded"),
    [
        ("/view/x/", 200, "view", "view"),
        ("/see/", 200, "see", "view"),
        ("/view/upload/", 200, "sent", "view/upload"),
        ("/admin/user/x", 200, "inner", "admin"),
        ("/admin/nothing", 404, "Not Found", "admin"),
        ("/view/", 404, "Not Found", "view"),
        ("/nothing/", 404, "Not Found", None),
    ],
)
def test_only_the_part_of_a_path_is_loaded(
    client: TestClient, parts: dict[str, Counted], path: str, status: int, text: str, loaded: str | None
) -> None:
    for _ in range(2):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (status, text)
    assert Counter({key: part.times for key, part in parts.items()}) == Counter(
        {key: 1 for key, part in parts.items() if loaded and part is parts[loaded]}
    )


def test_methods_that_no_route_of_the_path_takes_get_405(client: TestClient) -> None:
    assert client.post("/view/x/").status_code == 405


def test_names_of_routes_lead_to_paths(parts: dict[str, Counted], app: FastAPI) -> None:
    routes = LazyRoutes(parts, app.state.services)
    assert routes.url_path_for("view", name="x") == "/view/x/"
    assert routes.url_path_for("admin:user", name="x") == "/admin/user/x"
