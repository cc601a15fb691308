"""`fitsvault db`: the schema is made, told, brought back and forth."""

from pathlib import Path

import pytest

from shared.migrations import head_revision
from shared.schema import REVISIONS
from shared.settings import settings
from tests.cli.conftest import Run


@pytest.fixture
def home(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without an archive."""
    monkeypatch.setenv("FITSVAULT_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    return tmp_path / "home"


def test_forward_and_back(run: Run, home: Path) -> None:
    before, latest = REVISIONS[-2:]
    assert run("db", "upgrade").out == f"schema {latest}, was missing\n"
    assert run("db", "upgrade").out == f"schema {latest} already\n"
    done = run("db", "check")
    assert (done.code, done.out) == (0, f"schema {latest}, latest {latest}\n")
    assert run("db", "downgrade", before).out == f"schema {before}\n"
    done = run("db", "check")
    assert (done.code, done.out) == (1, f"schema {before}, latest {latest}\n")
    assert "run `fitsvault db upgrade`" in done.err
    assert run("db", "upgrade").out == f"schema {latest}, was {before}\n"


def test_an_index_that_is_not_there_is_not_made_by_looking(run: Run, home: Path) -> None:
    for words in (("db", "check"), ("db", "downgrade", str(head_revision()))):
        done = run(*words)
        assert done.code == 2
        assert "no index at" in done.err
    assert not home.exists()


def test_an_unknown_schema_is_no_way_to_go(run: Run, home: Path) -> None:
    done = run("db", "downgrade", "0815")
    assert done.code == 2
    assert "there are 0001, 0002" in done.err
