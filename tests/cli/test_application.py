"""What all commands have in common."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from shared.cli import app
from tests.archive import REPOSITORY


def words(group: typer.Typer, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the words that name each command."""
    own = [(*before, info.name or info.callback.__name__) for info in group.registered_commands if info.callback]
    below = [
        found
        for info in group.registered_groups
        if info.typer_instance
        for found in words(info.typer_instance, (*before, str(info.name)))
    ]
    return own + below


@pytest.mark.parametrize("command", words(app), ids=" ".join)
def test_each_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: fitsvault {' '.join(command)}" in " ".join(shown.output.split())


def test_the_readme_names_each_command() -> None:
    section = (REPOSITORY / "README.md").read_text().split("## Command line")[1].split("\n## ")[0]
    told = set(section.replace("`", " ").replace(",", " ").split())
    missing = {command[-1] for command in words(app)} - told
    assert missing == set()


def start(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FITSVAULT_")}
    return subprocess.run(
        [sys.executable, "-c", "from shared.cli import main; main()", *arguments],
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": str(REPOSITORY), "FITSVAULT_HOME": str(tmp_path / "home"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "told"),
    [
        (("no-such-command",), {}, 2, "no-such-command"),
        (("failures",), {"FITSVAULT_PORT": "many"}, 2, "FITSVAULT_PORT"),
        (("failures",), {"FITSVAULT_DATABASE_URL": "no url"}, 1, "Could not parse"),
        (("failures",), {"FITSVAULT_DATABASE_URL": "oracle+nothing://x"}, 1, "oracle"),
        (("failures",), {"FITSVAULT_DATABASE_URL": "postgresql+psycopg://u:hidden@127.0.0.1:1/x"}, 3, "index cannot"),
        (("user", "list"), {}, 2, "no index at"),
        (("upload", "."), {"FITSVAULT_S3_ENDPOINT_URL": "nonsense"}, 1, "nonsense"),
        (("upload", "."), {"AWS_EC2_METADATA_DISABLED": "true"}, 2, "no keys for the object store"),
    ],
)
def test_no_traceback_reaches_the_terminal(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], code: int, told: str
) -> None:
    done = start(tmp_path, *arguments, **environment)
    assert (done.returncode, told in done.stderr) == (code, True), done
    assert "Traceback" not in done.stderr
    assert "hidden" not in done.stderr
