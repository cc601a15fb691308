"""What an object store needs before it is an archive's: both buckets, and a way to tell of its objects."""

import time
from dataclasses import dataclass

from localstack.state import StartError
from localstack.stores.minio import notify_by_webhooks
from localstack.stores.origins import allow_origins
from localstack.stores.stack import deploy_storage
from shared.errors import StoreError
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["StoreSetUp", "set_up_store"]

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class StoreSetUp:
    """What came of it: the queue that tells of objects, if it is one, and what an operator must know."""

    queue_url: str | None = None
    news: tuple[str, ...] = ()


def set_up_store(settings: Settings) -> StoreSetUp:
    """Make what is missing in the store that the settings name, and wait until it takes an object.

    A store that cannot be made to tell of its objects is no reason not to start: the sweep finds them.

    Raises
    ------
    StartError
        It takes no objects, or the buckets cannot be made.
    """
    if settings.store == "localstack":
        queue_url = deploy_storage(settings)
        _wait_for_buckets(settings)
        return StoreSetUp(queue_url)
    _wait_for_buckets(settings)
    allow_origins(settings)
    if settings.store == "minio" and settings.trigger == "events":
        try:
            notify_by_webhooks(settings, settings.minio_webhook_arns)
        except StartError as error:
            return StoreSetUp(news=(f"{error}. New objects are found by the sweep alone.",))
    return StoreSetUp()


def _wait_for_buckets(settings: Settings) -> None:
    """Make both buckets where they are missing, and wait until one of them takes an object."""
    store = Store(settings)
    deadline = time.monotonic() + _SECONDS
    probe = "probe/started"
    while True:
        try:
            for bucket in (settings.bucket, settings.derived_bucket):
                store.ensure_bucket(bucket)
            store.write_bytes(settings.derived_bucket, probe, b"", "text/plain")
            store.delete(settings.derived_bucket, (probe,))
        except StoreError as error:
            if time.monotonic() > deadline:
                raise StartError(f"the object store does not take objects: {error}") from error
            time.sleep(_SECONDS / 300)
        else:
            store.s3.close()
            return
