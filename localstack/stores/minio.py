"""MinIO as object store: its command line, its webhook with a queue on disk, and the buckets' notification."""

import logging
import shutil
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from minio import Minio
from minio.error import MinioException
from minio.notificationconfig import NotificationConfig, QueueConfig

from localstack.state import StartError
from localstack.stores.model import plain, webhook_url
from shared.settings import Settings
from shared.store.session import make_session

__all__ = ["MinioServer", "make_minio_client", "notify_by_webhooks"]

_log = logging.getLogger("fitsvault.local")
_TARGETS = ("FITSVAULT", "FITSVAULT_NOW")
_EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleDelMarkerExpiration:Delete"]
_QUEUE_LIMIT = 1_000_000


class MinioServer:
    """``minio server`` on one folder, on loopback only, without its console.

    Each event goes two ways. One is quick and forgetful: at once, two at a time, once. The other forgets nothing:
    events wait in a folder, which is read every 3 s, and go one after the other; one that is not taken is sent again
    for ever, with all others behind it. What comes the second way has mostly been settled by then, and costs a look.
    """

    arns: ClassVar[list[str]] = [f"arn:minio:sqs::{target}:webhook" for target in _TARGETS]
    folder: ClassVar[str] = "minio"
    health_path: ClassVar[str] = "/minio/health/ready"
    notice: ClassVar[str] = ""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def write_configuration(self) -> None:
        """Write nothing: MinIO takes all from its environment."""

    def command(self) -> list[str]:
        """Return the command line; StartError where there is no ``minio``."""
        program = shutil.which("minio")
        if program is None:
            raise StartError(
                "no `minio` on PATH; with Go 1.24 or later: go install github.com/minio/minio@latest,"
                " and put the folder `go env GOPATH`/bin on PATH"
            )
        settings = self._settings
        return [program, "server", "--quiet", "--address", f"127.0.0.1:{settings.s3_port}", str(self._data)]

    def environment(self) -> dict[str, str]:
        """Return keys, the webhook with its queue, and who may write from a browser, which no bucket of MinIO knows."""
        settings = self._settings
        webhook = {
            "ENABLE": "on",
            "ENDPOINT": webhook_url(settings),
            "AUTH_TOKEN": plain(settings.event_secret),
        }
        queue = {"QUEUE_DIR": str(settings.home.resolve() / "minio-queue"), "QUEUE_LIMIT": str(_QUEUE_LIMIT)}
        lasting, now = _TARGETS
        return {
            "MINIO_ROOT_USER": settings.s3_access_key or "",
            "MINIO_ROOT_PASSWORD": plain(settings.s3_secret_key),
            "MINIO_SITE_REGION": settings.s3_region,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
            "MINIO_API_CORS_ALLOW_ORIGIN": ",".join(settings.page_origins),
            **{f"MINIO_NOTIFY_WEBHOOK_{name}_{lasting}": value for name, value in (webhook | queue).items()},
            **{f"MINIO_NOTIFY_WEBHOOK_{name}_{now}": value for name, value in webhook.items()},
        }

    @property
    def _data(self) -> str:
        return str(self._settings.home / self.folder)


def notify_by_webhooks(settings: Settings, arns: Sequence[str]) -> None:
    """Have MinIO tell webhooks of what comes and goes in the science bucket; other rules stay.

    Raises
    ------
    StartError
        MinIO has no such webhook, or the keys may not set a bucket's notification.
    """
    client = make_minio_client(settings)
    ours = {_target(arn) for arn in arns}
    rules = [QueueConfig(queue=arn, events=_EVENTS, config_id=f"fitsvault-{arn}") for arn in arns]
    try:
        config = client.get_bucket_notification(settings.bucket)
        others = [other for other in config.queue_config_list if _target(str(other.queue)) not in ours]
        config = NotificationConfig(
            cloud_func_config_list=config.cloud_func_config_list,
            queue_config_list=[*others, *rules],
            topic_config_list=config.topic_config_list,
        )
        client.set_bucket_notification(settings.bucket, config)
    except MinioException as error:
        raise StartError(f"MinIO does not send events of {settings.bucket} to {', '.join(arns)}: {error}") from error


def _target(arn: str) -> str:
    """Return name and kind of a target; MinIO adds its region to what it was given."""
    return ":".join(arn.split(":")[-2:])


def make_minio_client(settings: Settings) -> Minio:
    """Return a client with the keys of the settings."""
    address = urlsplit(settings.s3_endpoint_url or "")
    credentials = make_session(settings).get_credentials()
    keys = credentials.get_frozen_credentials() if credentials else None
    if keys is None:
        raise StartError("no keys for MinIO: set FITSVAULT_S3_ACCESS_KEY and FITSVAULT_S3_SECRET_KEY")
    return Minio(
        address.netloc,
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        session_token=keys.token,
        secure=address.scheme == "https",
        region=settings.s3_region,
    )
