"""The table of compatibility: each line has a verdict and tests that exist, and nothing of the API is missing."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from fastapi import FastAPI

from functions.api.app import create_app
from functions.api.openapi import openapi_document
from tests.api.conftest import local_settings

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = REPOSITORY / "docs" / "compatibility.md"
CONTRACT = REPOSITORY.parent / "shared" / "API.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
VERDICTS = ("same", "better", "differs")
CODE = re.compile(r"`([^`]+)`")


def lines() -> list[list[str]]:
    """Return the cells of every line of the tables."""
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return [row for row in cells if row[0] != "what"]


@cache
def names_in(path: str) -> set[str]:
    """Return the tests of a module."""
    tree = ast.parse((REPOSITORY / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("row", lines(), ids=lambda row: row[0][:50])
def test_a_line_has_a_verdict_and_tests_that_exist(row: list[str]) -> None:
    what, verdict, reason, tests = row
    assert what
    assert verdict in VERDICTS
    assert reason or verdict == "same"
    named = TEST.findall(tests)
    assert named
    assert not TEST.sub("", tests).strip(), "names tests in another way"
    for path, name in named:
        assert (REPOSITORY / path).exists(), path
        assert name in names_in(path), f"{path} has no {name}"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    app = create_app(local_settings(tmp_path_factory.mktemp("table")))
    app.state.services.close()
    return app


def named() -> set[str]:
    """Return every word of the table that is written as code, and the parts of those of several words."""
    found = set(CODE.findall(TABLE.read_text()))
    return found | {word for text in found for word in re.split(r"[ =?]", text)}


def test_every_path_and_parameter_of_our_own_is_in_the_table(app: FastAPI) -> None:
    document = openapi_document(app, "")
    known = {re.sub(r"<\w+>", "{}", word) for word in named()}
    for path, operations in document["paths"].items():
        top = re.sub(r"(/uploads/).*", r"\1", path)
        assert re.sub(r"{\w+}", "{}", top) in known, path
        for operation in operations.values():
            parameters = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "query"}
            assert parameters - {"next"} <= known, path


def test_every_path_and_parameter_of_the_contract_is_in_the_table() -> None:
    if not CONTRACT.exists():
        pytest.skip("no contract: it lies beside the project as shared/API.md")
    firsts = [line.split(" | ")[0] for line in CONTRACT.read_text().splitlines() if line.startswith("| `")]
    words = {word.strip("…") for first in firsts for word in CODE.findall(first)}
    text = TABLE.read_text()
    assert words
    assert {word for word in words if word not in text} == set()
