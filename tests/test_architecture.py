"""Imports go down the floors, and the API stays free of what ingest needs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = {
    "localstack": 4,
    "infra": 5,
    "functions.ingest": 3,
    "functions.api": 3,
    "functions.bundle": 3,
    "functions.reconcile": 3,
    "functions.migrate": 3,
    "shared.cli": 3,
    "shared.backup": 2,
    "shared.bundle": 2,
    "shared.ingest": 2,
    "shared.intake": 2,
    "shared.migrations": 2,
    "shared.notify": 2,
    "shared.pyobs": 2,
    "shared.fits": 1,
    "shared.index": 1,
    "shared.schema": 1,
    "shared.store": 1,
    "shared.events": 1,
    "shared.accounts": 1,
    "shared.naming": 1,
    "shared.resolver": 1,
    "shared.simulator": 1,
    "shared.uploads": 2,
    "shared.settings": 0,
    "shared.secrets": -1,
    "shared.files": 0,
    "shared.backoff": 0,
    "shared.checksums": 0,
    "shared.parallel": 0,
    "shared.errors": 0,
    "shared.exchange": 0,
    "shared.logs": 0,
    "shared.database": 0,
}


def room_of(module: str) -> str | None:
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), None)


def imports() -> Iterator[tuple[str, str]]:
    for top in ("functions", "shared", "localstack", "infra"):
        for path in sorted((REPOSITORY / top).rglob("*.py")):
            module = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [node.module]
                yield from (
                    (module, name)
                    for name in names
                    if name.split(".")[0] in ("functions", "shared", "localstack", "infra")
                )


def test_every_module_has_a_room() -> None:
    for module, _ in imports():
        assert room_of(module), module


def test_imports_go_down() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, name in imports()
        if (mine := room_of(module)) != (theirs := room_of(name))
        and (mine is None or theirs is None or ROOMS[mine] <= ROOMS[theirs])
    ]
    assert wrong == []


@pytest.mark.parametrize("module", ["functions.api.handler", "functions.api.app"])
def test_the_api_is_light(module: str, tmp_path: Path) -> None:
    heavy = ("astropy", "numpy", "PIL", "rich", "typer", "sqladmin", "wtforms", "greenlet")
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={"FITSVAULT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"
