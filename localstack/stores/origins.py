"""Who may write to the bucket from a browser: the rule (CORS) that the store must have for the web page."""

import logging
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from shared.settings import Settings
from shared.store.client import Store

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

__all__ = ["allow_origins"]

_ID = "fitsvault-page"

_log = logging.getLogger("fitsvault.local")


def allow_origins(settings: Settings) -> None:
    """Let the scripts of our own pages write by presigned forms and links; rules of others stay.

    That a store cannot be told (MinIO has one rule for all buckets, in its environment) is no reason not to start:
    `fitsvault doctor` asks what it answers to a browser.
    """
    store = Store(settings)
    rule: CORSRuleTypeDef = {
        "ID": _ID,
        "AllowedOrigins": list(settings.page_origins),
        "AllowedMethods": ["GET", "HEAD", "POST", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3600,
    }
    try:
        there = _rules(store, settings.bucket)
        others = [other for other in there if other.get("ID") != _ID]
        if [*others, rule] != there:
            store.s3.put_bucket_cors(Bucket=settings.bucket, CORSConfiguration={"CORSRules": [*others, rule]})
    except (BotoCoreError, ClientError) as error:
        _log.info("origins not set", extra={"bucket": settings.bucket, "reason": str(error)})
    finally:
        store.s3.close()


def _rules(store: Store, bucket: str) -> "list[CORSRuleTypeDef]":
    try:
        return cast("list[CORSRuleTypeDef]", store.s3.get_bucket_cors(Bucket=bucket)["CORSRules"])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchCORSConfiguration":
            return []
        raise
