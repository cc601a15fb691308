"""A real LocalStack with queues and topics, without the rest of an archive."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from localstack.environment import made_environment
from localstack.state import StartError, free_port
from localstack.stores.localstack import LocalstackServer
from shared.settings import Settings
from tests.archive import wait_until

__all__ = ["running_localstack"]


@contextmanager
def running_localstack(home: Path, services: str = "sqs,sns") -> Iterator[Settings]:
    """Run it for the length of the block, and give the settings of an archive whose store it would be."""
    settings = Settings(
        _env_file=None,
        home=home,
        s3_port=free_port(set()),
        s3_access_key="test",
        s3_secret_key="test",
    )
    url = f"http://127.0.0.1:{settings.s3_port}"
    _need_localstack()
    server = LocalstackServer(settings, print)
    (home / server.folder).mkdir(parents=True)
    with (home / "localstack.log").open("wb") as log:
        process = subprocess.Popen(
            server.command(),
            env=server.environment() | {"SERVICES": services},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until("LocalStack answers", lambda: _answers(f"{url}{server.health_path}", process), 90)
        yield settings.model_copy(update={"s3_endpoint_url": url, "notify_topic_endpoint_url": url})
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _need_localstack() -> None:
    """Skip where it cannot be had; fail where all must be there."""
    try:
        made_environment("localstack")
    except StartError as error:
        if os.environ.get("FITSVAULT_TESTS_NEED_ALL"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "LocalStack has ended at its start"
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
