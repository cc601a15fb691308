"""Fixtures of the contract: the archive client of pyobs-core, which is the real one."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archive import RunningArchive
from tests.contract.environment import pyobs_python

CLIENT = Path(__file__).with_name("pyobs_client.py")


class PyobsClient:
    """The client in a process of its own; each call names the archive that it is for."""

    def __init__(self, python: Path, folder: Path) -> None:
        self._errors = (folder / "stderr").open("w+")
        self._process = subprocess.Popen(
            [python, CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, cwd=folder
        )

    def ask(self, archive: RunningArchive, call: str, **job: Any) -> Any:
        """Let the client do something, and tell what it returned or raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"call": call, "url": f"{archive.url}/", "token": archive.token} | job)
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            self._errors.seek(0)
            pytest.fail(f"the client ended: {self._errors.read()}")
        return json.loads(answer)

    def get(self, archive: RunningArchive, call: str, **job: Any) -> Any:
        """Let the client do something, and return what it returned."""
        answer = self.ask(archive, call, **job)
        assert "returned" in answer, answer
        return answer["returned"]

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)
        self._errors.close()


@pytest.fixture(scope="session")
def pyobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PyobsClient]:
    """The client of pyobs-core."""
    client = PyobsClient(pyobs_python(), tmp_path_factory.mktemp("pyobs"))
    yield client
    client.close()


@pytest.fixture
def call(pyobs: PyobsClient, archive: RunningArchive) -> Callable[..., Any]:
    """Return what a call of the client returns from the session's archive."""

    def returned(name: str, **job: Any) -> Any:
        return pyobs.get(archive, name, **job)

    return returned
