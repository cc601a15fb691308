from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

ANSWERS = {
    ("/", "get"): {"200", "302", "400", "503"},
    ("/health/", "get"): {"200", "503"},
    ("/api-token-auth/", "post"): {"200", "400", "413", "415", "429", "503"},
    ("/accounts/login/", "get"): {"200"},
    ("/accounts/login/", "post"): {"302", "400", "403", "413", "415", "429", "503"},
    ("/accounts/logout/", "get"): {"200"},
    ("/accounts/logout/", "post"): {"302", "400", "403", "413", "415", "503"},
    ("/frames/", "get"): {"200", "400", "401", "503"},
    ("/frames/aggregate/", "get"): {"200", "400", "401", "503"},
    ("/frames/facets/", "get"): {"200", "400", "401", "503"},
    ("/frames/nights/", "get"): {"200", "400", "401", "503"},
    ("/frames/sky/", "get"): {"200", "400", "401", "503"},
    ("/frames/{frame_id}/", "get"): {"200", "401", "404", "503"},
    ("/frames/{frame_id}/related/", "get"): {"200", "401", "404", "503"},
    ("/frames/{frame_id}/headers/", "get"): {"200", "400", "401", "404", "502", "503"},
    ("/frames/{frame_id}/preview/", "get"): {"200", "304", "400", "401", "404", "502", "503"},
    ("/frames/create/", "post"): {"200", "400", "401", "403", "413", "415", "503", "507"},
    ("/frames/{frame_id}/delete/", "delete"): {"200", "401", "403", "404", "502", "503"},
    ("/uploads/", "post"): {"200", "400", "401", "403", "413", "415", "502", "503"},
    ("/uploads/complete/", "post"): {"200", "400", "401", "403", "404", "413", "415", "502", "503"},
    ("/resolve/", "get"): {"200", "400", "401", "404", "503"},
    ("/uploads/status/", "post"): {"200", "400", "401", "403", "413", "415", "502", "503"},
    ("/uploads/abort/", "post"): {"200", "400", "401", "403", "404", "413", "415", "502", "503"},
    ("/frames/zip/", "get"): {"200", "206", "303", "400", "401", "413", "416", "429", "502", "503"},
    ("/frames/zip/", "post"): {
        *("200", "206", "303", "400", "401", "403", "404", "413", "415", "416", "429", "502", "503"),
    },
    ("/bundles/", "get"): {"200", "400", "401", "502", "503"},
    ("/bundles/", "post"): {"202", "400", "401", "403", "404", "413", "415", "429", "502", "503"},
    ("/bundles/{bundle_id}/", "get"): {"200", "401", "404", "502", "503"},
    ("/bundles/{bundle_id}/", "delete"): {"204", "401", "404", "502", "503"},
    ("/bundles/{bundle_id}/file/", "get"): {
        *("200", "206", "303", "401", "404", "410", "413", "416", "502", "503"),
    },
    ("/frames/{frame_id}/catalog/", "get"): {"200", "206", "401", "404", "413", "416", "502", "503"},
    ("/frames/{frame_id}/download/", "get"): {"200", "206", "302", "400", "401", "404", "413", "416", "502", "503"},
    ("/health/live/", "get"): {"200"},
    ("/health/ready/", "get"): {"200", "503"},
    ("/metrics/", "get"): {"200", "401", "403", "404", "503"},
    ("/ingest/failures/", "get"): {"200", "400", "401", "403", "503"},
    ("/ingest/failures/{failure_id}/retry/", "post"): {"202", "401", "403", "404", "503"},
}
"""Statuses by path and method."""


@pytest.fixture
def document(anonymous: TestClient) -> dict[str, Any]:
    answer = anonymous.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_every_path_and_its_answers_are_described(document: dict[str, Any]) -> None:
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described == set(ANSWERS)
    for (path, method), statuses in ANSWERS.items():
        operation = document["paths"][path][method]
        assert set(operation["responses"]) == statuses, path
        assert operation["summary"]
        assert operation["description"]


def test_tokens_are_asked_for_where_they_are_needed(document: dict[str, Any]) -> None:
    asked = {path for path, method in ANSWERS if document["paths"][path][method].get("security")}
    open_to_all = (
        "/",
        "/health/",
        "/health/live/",
        "/health/ready/",
        "/api-token-auth/",
        "/accounts/login/",
        "/accounts/logout/",
    )
    assert asked == {path for path, _ in ANSWERS} - set(open_to_all)
    assert document["components"]["securitySchemes"]["Token"]["in"] == "header"
    assert document["paths"]["/frames/"]["get"]["security"] == [{"Token": []}, {"Session": []}]


def test_the_parameters_of_lists_are_described(document: dict[str, Any]) -> None:
    named = {item["name"]: item for item in document["paths"]["/frames/"]["get"]["parameters"]}
    for name in ("limit", "offset", "sort", "order", "IMAGETYPE", "night", "RA", "DEC", "radius", "undated", "cursor"):
        assert named[name]["in"] == "query"
        assert named[name]["description"]
    assert "DATE_OBS" in named["sort"]["schema"]["enum"]
    for path in ("aggregate", "facets", "sky"):
        options = {item["name"] for item in document["paths"][f"/frames/{path}/"]["get"]["parameters"]}
        assert options == set(named) - {"limit", "offset", "sort", "order", "cursor"}
    one = document["paths"]["/frames/{frame_id}/preview/"]["get"]["parameters"]
    assert [item["name"] for item in one] == ["frame_id", "size", "of"]


def test_the_answer_of_a_list_is_described(document: dict[str, Any]) -> None:
    schema = document["paths"]["/frames/"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Frames"}
    assert "footprint" in document["components"]["schemas"]["Frame"]["properties"]


def test_nothing_is_described_that_is_never_sent(document: dict[str, Any]) -> None:
    assert "ValidationError" not in str(document)


def test_answers_without_body_are_described_as_such(document: dict[str, Any]) -> None:
    answers = [
        (status, answer)
        for path in document["paths"].values()
        for operation in path.values()
        for status, answer in operation["responses"].items()
    ]
    assert not any("content" in answer for status, answer in answers if status.startswith("3"))
    assert "content" not in document["paths"]["/frames/{frame_id}/delete/"]["delete"]["responses"]["200"]


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_documentation_shows_the_document(anonymous: TestClient, path: str) -> None:
    answer = anonymous.get(path)
    assert answer.status_code == 200
    assert "'/openapi.json'" in answer.text
    assert '<a href="/openapi.json">' in answer.text  # for whoever the script does not reach


def test_below_a_prefix_the_document_says_so(app: FastAPI) -> None:
    client = TestClient(app, root_path="/prod")
    assert client.get("/prod/openapi.json").json()["servers"] == [{"url": "/prod"}]
    assert "'/prod/openapi.json'" in client.get("/prod/docs").text
