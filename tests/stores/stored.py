"""What the suite needs of an archive on any store."""

import json
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.agreement import Contents, Inspector
from tests.archive import RunningArchive, StartedProcess

__all__ = ["StoredArchive", "s3_event"]

_AGREE_SECONDS = 180.0
_LOOK_SECONDS = 0.3
_OTHER_WEBHOOK = {
    "MINIO_NOTIFY_WEBHOOK_ENABLE_OTHER": "on",
    "MINIO_NOTIFY_WEBHOOK_ENDPOINT_OTHER": "http://127.0.0.1:9/",
}
"""Of somebody else who listens to the same MinIO."""


class StoredArchive:
    """An archive that can be stopped and started again; what was stored stays, as far as the store keeps it.

    No sweep comes to its help but the one at its start: what the index knows then, events have told.
    """

    def __init__(self, home: Path, store: str) -> None:
        self.home = home
        self.store_name = store
        self._started: StartedProcess | None = None
        self._running: RunningArchive | None = None
        self._inspector: Inspector | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        extra = {"FITSVAULT_STORE": self.store_name, "FITSVAULT_RECONCILE_SECONDS": "36000", **_OTHER_WEBHOOK}
        self._started = StartedProcess(self.home, extra)
        self._started.wait_until_ready()
        self._running = RunningArchive(self.home, self._started.lines)
        self._inspector = Inspector(self._running.settings)

    def stop(self) -> None:
        """Stop it in order."""
        if self._inspector is not None:
            self._inspector.close()
            self._inspector = None
        if self._running is not None:
            self._running.close()
            self._running = None
        if self._started is not None:
            self._started.process.send_signal(signal.SIGTERM)
            self._started.end()
            self._started = None

    @property
    def running(self) -> RunningArchive:
        """The archive as it runs now."""
        assert self._running is not None
        return self._running

    @property
    def output(self) -> str:
        """What it has written to its terminal since its last start."""
        assert self._started is not None
        return self._started.output

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        self.running.s3.put_object(Bucket=self.running.bucket, Key=key, Body=data)

    def put_many(self, objects: Sequence[tuple[str, bytes]]) -> None:
        """Write objects, eight at once."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: self.put(*one), objects))

    def delete(self, key: str) -> None:
        """Delete an object as a client does: in a versioned bucket that leaves a marker."""
        self.running.s3.delete_object(Bucket=self.running.bucket, Key=key)

    def look(self) -> Contents:
        """Return all that it holds."""
        assert self._inspector is not None
        return self._inspector.look()

    def agree(self, *, deep: bool = False) -> Contents:
        """Wait until index and buckets agree, and return what they hold; fail with what differs."""
        assert self._inspector is not None
        deadline = time.monotonic() + _AGREE_SECONDS
        while True:
            contents = self._inspector.look()
            found = self._inspector.differences(contents)
            if not found or time.monotonic() > deadline:
                break
            time.sleep(_LOOK_SECONDS)
        assert found == [], f"{found}, and ingest said:\n{self.running.log('ingest')[-4000:]}"
        if deep:
            assert self._inspector.differences(contents, deep=True) == []
        return contents

    @contextmanager
    def door(self, *, secret: str | None = None) -> Iterator[httpx.Client]:
        """Open the door for events, with the right secret unless another one is given."""
        state = json.loads((self.home / "state.json").read_text())
        secret = state["event_secret"] if secret is None else secret
        with httpx.Client(
            base_url=f"http://127.0.0.1:{state['ports']['events']}",
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
            trust_env=False,
            timeout=60,
        ) as client:
            yield client


def s3_event(bucket: str, key: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """Return an event as S3 would write it; ``key`` is encoded already."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventName": name,
                "s3": {"bucket": {"name": bucket}, "object": {"key": key, "sequencer": "0055AED6DCD90281E5"}},
            }
        ]
    }
