"""The API as clients meet it: a process of its own with uvicorn, asked over one kept connection."""

import http.client
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import Engine

from shared.accounts.account import account_of
from shared.accounts.service import ensure_admin, find_user
from shared.accounts.tokens import issue_token
from shared.database import make_session_factory, write
from tests.bench_index.queries import Request

__all__ = ["Client", "running_api"]

_REPOSITORY = Path(__file__).resolve().parents[2]


class Client:
    """Asks over one connection, with a token."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._headers = {"Authorization": f"Token {token}"}

    def get(self, request: Request) -> bytes:
        """Return the body of an answer, all of it."""
        path = f"{request.path}?{urlencode(request.parameters)}" if request.parameters else request.path
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            message = f"{answer.status} for {path}: {body[:200]!r}"
            raise RuntimeError(message)
        return body

    def close(self) -> None:
        """Let go of the connection; the next request makes another. The API lets go of one that rests for 5 s."""
        self._connection.close()


@contextmanager
def running_api(engine: Engine, url: str) -> Iterator[Client]:
    """Run the API on a database for the length of the block."""
    port = _free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FITSVAULT_")}
    with tempfile.TemporaryDirectory(prefix="fitsvault-bench-") as home:
        own = {
            "PYTHONPATH": str(_REPOSITORY),
            "FITSVAULT_HOME": home,
            "FITSVAULT_PORT": str(port),
            "FITSVAULT_DATABASE_URL": url,
            "FITSVAULT_LOG_LEVEL": "WARNING",
        }
        process = subprocess.Popen([sys.executable, "-m", "localstack.serve", "api"], cwd=home, env=clean | own)
        try:
            _wait(process, port)
            client = Client(port, _token(engine))
            yield client
            client.close()
        finally:
            process.terminate()
            process.wait(30)


def _token(engine: Engine) -> str:
    with write(make_session_factory(engine)) as session:
        ensure_admin(session, "bench", secrets.token_urlsafe(18))
        user = find_user(session, "bench")
        assert user is not None
        return issue_token(session, account_of(user), "bench")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    message = "the API did not start"
    raise RuntimeError(message)
