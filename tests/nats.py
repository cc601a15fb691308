"""A real NATS server with JetStream for tests, and what a store would publish to it."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote_plus

import nats
from nats.js import JetStreamContext

from tests.archive import wait_until

__all__ = ["NatsServer", "minio_event", "running_nats"]

_T = TypeVar("_T")


class NatsServer:
    """A server on a port of its own, which may be stopped and started again with what it holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = Path(sys.executable).with_name("nats-server")
        address = ["--addr", "127.0.0.1", "--port", str(self.port)]
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            command = [str(program), *address, "--jetstream", "--store_dir", str(self._folder)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until("NATS answers", self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def ask(self, question: Callable[[JetStreamContext], Awaitable[_T]]) -> _T:
        """Return the answer of a coroutine that gets a JetStream."""

        async def asked() -> _T:
            client = await nats.connect(self.url)
            try:
                return await question(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(asked())

    def publish(self, subject: str, *bodies: bytes) -> None:
        async def each(jetstream: JetStreamContext) -> None:
            for body in bodies:
                await jetstream.publish(subject, body)

        self.ask(each)

    def count(self, stream: str) -> int:
        """Return how many messages a stream holds."""

        async def info(jetstream: JetStreamContext) -> int:
            return (await jetstream.stream_info(stream)).state.messages

        return self.ask(info)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False


@contextmanager
def running_nats(folder: Path) -> Iterator[NatsServer]:
    """Run a server for the length of the block."""
    server = NatsServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def minio_event(bucket: str, key: str) -> bytes:
    """Return what MinIO publishes when an object was written."""
    s3 = {"bucket": {"name": bucket}, "object": {"key": quote_plus(key), "sequencer": "1"}}
    record: dict[str, Any] = {"eventSource": "minio:s3", "eventName": "s3:ObjectCreated:Put", "s3": s3}
    record["responseElements"] = {"x-amz-request-id": f"request-of-{abs(hash(key)) % 10**8}"}
    return json.dumps({"EventName": record["eventName"], "Key": f"{bucket}/{key}", "Records": [record]}).encode()
