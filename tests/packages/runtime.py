"""AWS Lambda's side of a function: its Runtime API, and a process of AWS's own runtime client that asks it for work."""

import json
import os
import queue
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

__all__ = ["FunctionError", "LambdaFunction"]

_PREFIX = "/2018-06-01/runtime"
_PATIENCE = 120.0
_LIMIT_SECONDS = 300


class FunctionError(Exception):
    """The function raised, or could not be started; its text is what Lambda would show."""


@dataclass
class _Call:
    event: Any
    seconds: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: queue.Queue[tuple[bool, Any]] = field(default_factory=queue.Queue)


class _RuntimeApi(ThreadingHTTPServer):
    """The Runtime API of one function, as AWS documents it: next, response, error, init/error."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: queue.Queue[_Call | None] = queue.Queue()
        self.under_way: dict[str, _Call] = {}
        self.is_ready = threading.Event()
        self.init_error: Any = None


class _Handler(BaseHTTPRequestHandler):
    server: _RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert self.path == f"{_PREFIX}/invocation/next", self.path
        self.server.is_ready.set()
        call = self.server.calls.get()
        if call is None:
            self.close_connection = True
            return
        self.server.under_way[call.request_id] = call
        self._send(
            200,
            json.dumps(call.event).encode(),
            {
                "Lambda-Runtime-Aws-Request-Id": call.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + call.seconds) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:tested",
                "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
            },
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        parts = self.path.removeprefix(f"{_PREFIX}/").split("/")
        if parts == ["init", "error"]:
            self.server.init_error = body
            self.server.is_ready.set()
        else:
            _, request_id, kind = parts
            self.server.under_way.pop(request_id).answer.put((kind == "response", body))
        self._send(202, b'{"status": "OK"}', {})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


class LambdaFunction:
    """A function that was unpacked into ``task``, run as Lambda runs it. Ready when the constructor returns.

    Nothing is on its path but the standard library, the runtime client and the package; of the environment it has what
    Lambda gives, and ``settings``.

    Parameters
    ----------
    handler
        What Lambda calls the handler: module and name.
    """

    def __init__(
        self, *, python: Path, client: Path, task: Path, handler: str, settings: Mapping[str, str], log: Path
    ) -> None:
        self._api = _RuntimeApi()
        self._log = log
        threading.Thread(target=self._api.serve_forever, args=(0.05,), daemon=True).start()
        name = task.name
        started = time.perf_counter()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [python, "-sSB", "-m", "awslambdaric", handler],
                cwd=task,
                env={
                    "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_address[1]}",
                    "AWS_LAMBDA_FUNCTION_NAME": name,
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
                    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                    "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
                    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/25/[$LATEST]0123456789abcdef",
                    "AWS_REGION": "us-east-1",
                    "AWS_DEFAULT_REGION": "us-east-1",
                    "AWS_ACCESS_KEY_ID": "test",
                    "AWS_SECRET_ACCESS_KEY": "test",
                    "AWS_SESSION_TOKEN": "test",
                    "LAMBDA_TASK_ROOT": str(task),
                    "LANG": "en_US.UTF-8",
                    "TZ": ":UTC",
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": f"{client}:{task}",
                    **settings,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_ready()
        self.start_seconds = time.perf_counter() - started

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not self._api.is_ready.wait(0.001):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise FunctionError(f"it has not started: {self.output}")
        if self._api.init_error is not None:
            self.close()
            raise FunctionError(json.dumps(self._api.init_error))

    @property
    def output(self) -> str:
        """What it has written: its log."""
        return self._log.read_text(errors="replace")

    def __call__(self, event: Any, *, seconds: float = _LIMIT_SECONDS) -> Any:
        """Have it answer one event within so many seconds, as it is told."""
        call = _Call(event, seconds)
        self._api.calls.put(call)
        is_answer, body = call.answer.get(timeout=_PATIENCE)
        if not is_answer:
            raise FunctionError(json.dumps(body))
        return body

    def close(self) -> None:
        """End it, as Lambda ends those that it needs no more: at once."""
        self._api.calls.put(None)
        self.process.kill()
        self.process.wait()
        self._api.shutdown()
        self._api.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
