from urllib.parse import urljoin

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import PutFrame

KNOWN = [
    "/health/",
    "/api-token-auth/",
    "/frames/",
    "/frames/aggregate/",
    "/frames/facets/",
    "/frames/nights/",
    "/frames/sky/",
    "/frames/12/",
    "/frames/12/headers/",
    "/frames/12/preview/",
    "/frames/12/download/",
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("path", KNOWN)
def test_a_known_path_without_slash_is_moved(anonymous: TestClient, path: str, method: str) -> None:
    answer = anonymous.request(method, path[:-1] + "?limit=5&OBJECT=M%2031+x&a=%0d%0aSet-Cookie:b")
    assert answer.status_code == 301
    location = urljoin(f"http://archive.test{path[:-1]}", answer.headers["location"])
    assert location == f"http://archive.test{path}?limit=5&OBJECT=M%2031+x&a=%0d%0aSet-Cookie:b"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", KNOWN)
def test_the_move_stays_below_a_stages_prefix(anonymous: TestClient, path: str) -> None:
    location = anonymous.get(path[:-1]).headers["location"]
    assert urljoin(f"https://api.test/prod{path[:-1]}", location) == f"https://api.test/prod{path}"


@pytest.mark.parametrize(
    "path",
    [
        "//evil.com",
        "//evil.com/frames",
        "/\\evil.com",
        "//frames",
        "/frames//",
        "/frames/x",
        "/frames/12x",
        "/frames/12//headers",
        "/frames/12/nothing",
        "/FRAMES",
        "/frames%0a",
        "/frames/%0a",
        "/%0a",
        "/.env",
        "/openapi.json/",
        "/frames/²",
    ],
)
def test_any_other_path_is_not_found(anonymous: TestClient, path: str) -> None:
    answer = anonymous.get(f"http://archive.test{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert "location" not in answer.headers


def test_a_moved_client_arrives(client: TestClient, put: PutFrame) -> None:
    frame_id = put()
    answer = client.get(f"/frames/{frame_id}", follow_redirects=True)
    assert answer.json()["id"] == frame_id
    assert client.get("/frames?limit=0", follow_redirects=True).json() == {"count": 1, "results": []}


def test_the_token_is_not_needed_to_be_moved_but_to_arrive(anonymous: TestClient) -> None:
    assert anonymous.get("/frames").status_code == 301
    assert anonymous.get("/frames", follow_redirects=True).status_code == 401
