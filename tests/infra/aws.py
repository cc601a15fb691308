"""What stands in for AWS and checks templates, from an environment of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from localstack.environment import made_environment
from localstack.state import StartError, free_port
from tests.archive import wait_until

__all__ = ["aws_tool", "running_moto"]


def aws_tool(name: str) -> Path:
    """Return a program of that environment; skip where it cannot be had, fail where all must be there."""
    try:
        return made_environment("aws").with_name(name)
    except StartError as error:
        if os.environ.get("FITSVAULT_TESTS_NEED_ALL"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@contextmanager
def running_moto(folder: Path) -> Iterator[str]:
    """Run moto, which plays all of AWS in memory, for the length of the block, and give its address."""
    port = free_port(set())
    url = f"http://127.0.0.1:{port}"
    with (folder / "moto.log").open("wb") as log:
        process = subprocess.Popen(
            [aws_tool("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
            env={"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until("moto answers", lambda: _answers(url, process), 60)
        yield url
    finally:
        process.kill()
        process.wait()


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "moto has ended at its start"
    try:
        return httpx.get(f"{url}/moto-api/data.json", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
