"""The functions of one archive, each in a process of its own, and the events that AWS would bring them."""

import base64
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from localstack.queue import Queue
from shared.settings import Settings
from shared.store.client import Store
from tests.api.gateways import http_event
from tests.archive import wait_until
from tests.packages.recorder import Recorder, recording
from tests.packages.runtime import LambdaFunction
from tests.packages.unpacked import Unpacked

__all__ = ["FunctionArchive"]


class FunctionArchive:
    """Calls functions as AWS does. What each asks of the store is written down in ``recorders``, by name."""

    def __init__(self, packages: Unpacked, settings: Settings, token: str, home: Path) -> None:
        self._packages, self.settings, self._token, self._home = packages, settings, token, home
        self.store = Store(settings)
        self._queue = Queue(str(settings.queue_url), settings)
        self._stack = ExitStack()
        self.recorders: dict[str, Recorder] = {}
        self.functions: dict[str, LambdaFunction] = {}

    def __enter__(self) -> Self:
        for name in self._packages.tasks:
            self.recorders[name] = self._stack.enter_context(recording(str(self.settings.s3_endpoint_url)))
            self.functions[name] = self._stack.enter_context(self.start(name))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, name: str) -> LambdaFunction:
        """Start an instance of a function."""
        assert self.settings.database_url is not None
        settings = {
            "FITSVAULT_S3_ENDPOINT_URL": self.recorders[name].url,
            "FITSVAULT_DATABASE_URL": self.settings.database_url.get_secret_value(),
            "FITSVAULT_BUCKET": self.settings.bucket,
            "FITSVAULT_DERIVED_BUCKET": self.settings.derived_bucket,
            "FITSVAULT_HOME": "/tmp",
            "FITSVAULT_RECONCILE_SECONDS": "0",
        }
        return self._packages.function(name, settings, self._home / f"{name}.log")

    def put(self, key: str, data: bytes) -> None:
        """Write an object as a telescope does."""
        self.store.write_bytes(self.settings.bucket, key, data, "application/fits")

    def deliver(self, *extra: str) -> Any:
        """Give the ingest function one batch of what the queue has, and of ``extra`` bodies, and return its answer.

        What it has settled is deleted, as Lambda does it.
        """
        records = wait_until("the bucket tells", self._queue.receive)
        records += [
            {"messageId": f"extra-{number}", "body": body, "eventSource": "aws:sqs", "attributes": {}}
            for number, body in enumerate(extra)
        ]
        answer = self.functions["ingest"]({"Records": records})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self._queue.delete([one for one in records if "receiptHandle" in one and one["messageId"] not in failed])
        return answer

    def forget_events(self) -> None:
        """Lose all events that wait."""
        self._queue.delete(wait_until("the bucket tells", self._queue.receive))

    def request(self, method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Any:
        """Return what the API answers to a request by an HTTP API, its JSON read under ``json``."""
        event = http_event(method, path, query, {"Authorization": f"Token {self._token}"} | headers, body)
        answer = self.functions["api"](event)
        text = answer.get("body") or ""
        raw = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
        is_json = answer["headers"].get("content-type", "").startswith("application/json")
        return answer | {"raw": raw, "json": json.loads(raw) if is_json and raw else None}
