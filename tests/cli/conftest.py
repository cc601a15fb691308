"""Running commands: in this process for speed, with the home folder of the running archive."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.cli import app
from shared.settings import settings
from tests.archive import RunningArchive

__all__ = ["Done", "Run"]


class Done:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"


Run = Callable[..., Done]


@pytest.fixture
def run(archive: RunningArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command as if in another terminal beside the archive; `typed` is what a person types.

    A file `.env` of whoever works on the project is none of the archive's.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FITSVAULT_HOME", str(archive.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("FITSVAULT_URL", "FITSVAULT_TESTS_NEED_ALL"):  # the latter is the tests' own, and no setting
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FITSVAULT_TOKEN", archive.token)
    settings.cache_clear()

    def command(*words: str, typed: str = "") -> Done:
        result = CliRunner().invoke(app, words, input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert "Traceback" not in result.output
        return Done(result.exit_code, result.stdout, result.stderr)

    yield command
    settings.cache_clear()
