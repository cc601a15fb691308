"""The object store: whether it answers, holds both buckets, and tells of new objects."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.cli.examinations.finding import Finding, note, ok, wrong
from shared.errors import NoStoreKeysError, ObjectGoneError, StoreError, StoreUnavailableError
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["examine_notification", "examine_store"]

_STORE, _NOTIFICATION = "store", "notification"
_PROBE = "probe/doctor"
_WANTED = ("s3:ObjectCreated", "s3:ObjectRemoved")
_TARGETS = ("QueueConfigurations", "TopicConfigurations", "LambdaFunctionConfigurations")


def examine_store(settings: Settings, store: Store) -> Iterator[Finding]:
    """Look at both buckets; of the derived one also whether it can be written."""
    where = settings.s3_endpoint_url or "AWS"
    try:
        store.check_bucket(settings.bucket)
        next(store.walk_as_listed(settings.bucket), None)
        yield ok(_STORE, f"{where} answers, and lists the bucket {settings.bucket}")
        store.check_bucket(settings.derived_bucket)
        store.write_bytes(settings.derived_bucket, _PROBE, b"", "text/plain")
        store.delete(settings.derived_bucket, (_PROBE,))
        yield ok(_STORE, f"the bucket {settings.derived_bucket} can be written")
    except NoStoreKeysError:
        yield wrong(_STORE, "there are no keys: set FITSVAULT_S3_ACCESS_KEY and FITSVAULT_S3_SECRET_KEY")
    except StoreUnavailableError as error:
        yield wrong(
            _STORE, f"{where} does not answer as it should: {error}. Does it run, is FITSVAULT_S3_ENDPOINT_URL right?"
        )
    except ObjectGoneError:
        yield wrong(_STORE, f"a bucket is missing: {settings.bucket} and {settings.derived_bucket} must be there")
    except StoreError as error:
        yield wrong(
            _STORE, f"{where} refuses: {error}. May these keys read {settings.bucket} and write the other bucket?"
        )


def examine_notification(settings: Settings, store: Store) -> Iterator[Finding]:
    """Look whether the science bucket tells somebody of what comes and goes."""
    if settings.trigger == "scan":
        yield ok(_NOTIFICATION, f"none is needed, the bucket is listed every {settings.scan_seconds:g} s")
        return
    if settings.store == "seaweedfs" and settings.s3_endpoint_url is not None:
        yield note(_NOTIFICATION, "SeaweedFS cannot be asked; what its notification.toml leaves out, sweeps find")
        return
    try:
        configuration = store.s3.get_bucket_notification_configuration(Bucket=settings.bucket)
    except (BotoCoreError, ClientError) as error:
        yield note(_NOTIFICATION, f"the store does not say whom it tells: {error}")
        return
    yield from _findings(settings, configuration)


def _findings(settings: Settings, configuration: Mapping[str, Any]) -> Iterator[Finding]:
    if "EventBridgeConfiguration" in configuration:
        yield ok(_NOTIFICATION, "the bucket tells EventBridge")
        return
    rules: Sequence[Mapping[str, Any]] = [rule for target in _TARGETS for rule in configuration.get(target, [])]
    untold = [kind for kind in _WANTED if not any(event.startswith(kind) for rule in rules for event in rule["Events"])]
    if untold:
        yield wrong(
            _NOTIFICATION,
            f"the bucket {settings.bucket} tells nobody of {' and '.join(untold)}: "
            "`python -m localstack.serve prepare` sets it on MinIO, the stack of infra/ on AWS. Sweeps find it late",
        )
        return
    for rule in rules:
        limits = rule.get("Filter", {}).get("Key", {}).get("FilterRules", [])
        if limits:
            told = ", ".join(f"{limit['Name'].lower()} {limit['Value']}" for limit in limits)
            yield note(_NOTIFICATION, f"one rule is only for keys with {told}")
    yield ok(_NOTIFICATION, f"the bucket {settings.bucket} tells of what comes and goes")
