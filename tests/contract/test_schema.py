"""Requests made from our own OpenAPI document to a running archive: no 5xx, no answer that it does not describe."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, CheckFunction, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.api.app import create_app
from functions.api.openapi import openapi_document
from shared.accounts.account import Role
from shared.accounts.service import create_user
from shared.accounts.tokens import issue_token
from shared.database import make_engine, make_session_factory, write
from shared.simulator import simulate_frame
from tests.api.conftest import local_settings
from tests.archive import RunningArchive, running_archive, wait_until
from tests.resolver.sesame import resolver_server

EXAMPLES = 12
FRAMES = 8
NEEDED: dict[str, dict[str, str]] = {"GET /resolve/": {"name": "M 51"}}
"""Parameters without which there is no good answer."""

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

pytestmark = pytest.mark.archive


def cases() -> Iterator[tuple[str, GenerationMode]]:
    """Every operation, with requests that keep to the document and such that do not; what deletes comes last."""
    with tempfile.TemporaryDirectory() as home:
        app = create_app(local_settings(Path(home)))
        document = openapi_document(app, "")
        app.state.services.close()
    labels = {
        f"{method.upper()} {path}": bool(operation.get("parameters") or operation.get("requestBody"))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    for label in sorted(labels, key=lambda label: (label.startswith("DELETE"), label)):
        yield label, GenerationMode.POSITIVE
        if labels[label]:
            yield label, GenerationMode.NEGATIVE


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    """An archive that may come to harm, with frames and a failure."""
    with (
        resolver_server() as sesame,
        running_archive(tmp_path_factory.mktemp("schema"), {"FITSVAULT_NAME_RESOLVER_URL": sesame.url}) as archive,
    ):
        for number in range(FRAMES):
            frame = simulate_frame(number=number, seed=number, catalog=number % 2 == 0)
            archive.s3.put_object(Bucket=archive.bucket, Key=frame.key, Body=frame.data)
        archive.s3.put_object(Bucket=archive.bucket, Key="broken.fits", Body=b"SIMPLE")
        wait_until("all frames are there", lambda: archive.get("/frames/", limit=0)["count"] == FRAMES)
        yield archive


@pytest.fixture(scope="module")
def schema(own: RunningArchive) -> schemathesis.BaseSchema:
    document = httpx.get(f"{own.url}/openapi.json", trust_env=False).json()
    found = schemathesis.openapi.from_dict(document)
    found.config.update(base_url=own.url)
    return found


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def tokens(own: RunningArchive) -> list[str]:
    """Tokens of a user and of a member of staff."""
    engine = make_engine(own.settings.effective_database_url)
    with write(make_session_factory(engine)) as session:
        made = [
            issue_token(session, create_user(session, f"a-{role.name}", "secret words", role=role), "schema")
            for role in (Role.USER, Role.STAFF)
        ]
    engine.dispose()
    return made


@pytest.fixture
def bundles(own: RunningArchive, session: requests.Session, tokens: list[str]) -> list[str]:
    """Ids of a bundle for each token; one that a test has deleted is ordered again."""
    found = []
    for token in tokens:
        headers = {"Authorization": f"Token {token}"}
        answer = session.post(f"{own.url}/bundles/?order=asc", headers=headers)
        found.append(str(answer.json()["id"]))
    return found


def operation_of(schema: schemathesis.BaseSchema, label: str) -> APIOperation[Any, Any, Any, Any]:
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        if result.ok().label == label:
            return result.ok()
    pytest.fail(f"{label} is not in the document of the running archive")


@pytest.mark.parametrize(
    ("label", "mode"), list(cases()), ids=lambda value: value.value if isinstance(value, GenerationMode) else value
)
def test_every_answer_is_described(
    schema: schemathesis.BaseSchema,
    session: requests.Session,
    tokens: list[str],
    bundles: list[str],
    label: str,
    mode: GenerationMode,
) -> None:
    operation = operation_of(schema, label)
    requests_of: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=mode)
    seen: set[int] = set()

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        case: Case[Any] = data.draw(requests_of)
        frame_id = data.draw(st.integers(-FRAMES, FRAMES))
        if case.path_parameters and frame_id > 0:
            ids = {"bundle_id": data.draw(st.sampled_from(bundles))}
            case.path_parameters = {name: ids.get(name, frame_id) for name in case.path_parameters}
        if data.draw(st.sampled_from([True, False, False])):
            case.query = {}
        ask(case, data.draw(st.sampled_from([*tokens, *tokens, "wrong", None])))

    def ask(case: Case[Any], token: str | None) -> None:
        headers = {"Authorization": f"Token {token}"} if token else {}
        answer = case.call(session=session, headers=headers, allow_redirects=False, timeout=60)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    check()
    if label.startswith("GET ") and mode is GenerationMode.POSITIVE:
        ids = {"bundle_id": bundles[-1]}
        there = {parameter.name: ids.get(parameter.name, 1) for parameter in operation.path_parameters}
        ask(operation.Case(path_parameters=there, query=NEEDED.get(label, {})), tokens[-1])
        assert seen & {200, 302, 303}, f"only {seen}: the requests never got past the door"
