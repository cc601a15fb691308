"""An application with a real store of its own buckets, whose index can be wrong on purpose."""

import hashlib
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from functions.api.app import create_app
from shared.database import write
from shared.index.frames import put_frame, remove_frame
from shared.settings import Settings
from tests.api.conftest import Sessions, local_settings, make_client, make_key
from tests.archive import RunningArchive
from tests.index.factory import make_record
from tests.prepared import prepare

__all__ = ["BUCKET", "ZipStore", "serving", "zip_store"]

BUCKET = "zipframes"


class ZipStore:
    """Objects and rows that tests write apart from each other."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.store = app.state.services.store
        self.sessions: Sessions = app.state.services.sessions
        self.key = make_key(app.state.services.sessions, "ada")
        self.client: TestClient = make_client(app, self.key)

    def put(self, key: str, data: bytes, **row: Any) -> int:
        """Put an object and its row."""
        self.store.write_bytes(BUCKET, key, data, "application/fits")
        return self.put_row(key, data, **row)

    def put_row(self, key: str, data: bytes, **row: Any) -> int:
        """Put the row of an object of these bytes."""
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        values = {"bucket": BUCKET, "key": key, "etag": etag, "size": len(data), "crc32": zlib.crc32(data)} | row
        with write(self.app.state.services.sessions) as session:
            return put_frame(session, make_record(**values))

    def remove_row(self, key: str) -> None:
        """Remove the row of an object."""
        with write(self.app.state.services.sessions) as session:
            remove_frame(session, BUCKET, key)


@contextmanager
def zip_store(archive: RunningArchive, home: Path, **more: Any) -> Iterator[ZipStore]:
    """Make an application on the archive's store."""
    archive.store.ensure_bucket(BUCKET)
    names = ("s3_endpoint_url", "s3_public_url", "s3_access_key", "s3_secret_key", "s3_region")
    same = {name: getattr(archive.settings, name) for name in names}
    settings = local_settings(home, **same | {"bucket": BUCKET, "derived_bucket": archive.derived} | more)
    app = create_app(settings)
    prepare(app.state.services.engine)
    yield ZipStore(app, settings)
    app.state.services.close()


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve the application on a port of its own; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            deadline = time.monotonic() + 20
            while not server.started and time.monotonic() < deadline:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)
