"""Sessions and clients of boto3: the one place where they are made."""

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader
from botocore.session import get_session
from botocore.utils import get_environ_proxies, parse_timestamp

from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["make_http_session", "make_s3_client", "make_session"]

_TIMEOUTS = (5, 60)
_CONNECTIONS = 32


def make_session(settings: Settings) -> boto3.session.Session:
    """Return a boto3 session with the keys of ``settings``; without keys there, boto3 finds the role's."""
    secret = settings.s3_secret_key
    core = get_session()
    core.register_component("data_loader", _descriptions())
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return boto3.session.Session(
        botocore_session=core,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        region_name=settings.s3_region,
    )


def make_s3_client(session: boto3.session.Session, settings: Settings, *, attempts: int, seconds: float) -> "S3Client":
    """Return the S3 client for the store of ``settings``; without an endpoint that is AWS.

    Checksums that boto3 adds by itself since 1.36 are left to AWS: other stores choke on them. Each of its ``attempts``
    waits for a silent store so many ``seconds``.
    """
    foreign = settings.s3_endpoint_url is not None
    config = Config(
        signature_version="s3v4",
        connect_timeout=min(_TIMEOUTS[0], seconds),
        read_timeout=seconds,
        max_pool_connections=_CONNECTIONS,
        retries={"mode": "standard", "max_attempts": attempts},
        s3={"addressing_style": "path" if foreign else "auto"},
        request_checksum_calculation="when_required" if foreign else "when_supported",
        response_checksum_validation="when_required" if foreign else "when_supported",
    )
    return session.client("s3", endpoint_url=settings.s3_endpoint_url, config=config)


def make_http_session(address: str) -> URLLib3Session:
    """Return what sends requests to ``address`` as the S3 client does, with its proxies, certificates and timeouts."""
    return URLLib3Session(
        verify=get_session().get_config_variable("ca_bundle") or True,
        proxies=get_environ_proxies(address),
        timeout=_TIMEOUTS,  # type: ignore[arg-type] # connect and read, as the S3 client gives them
        max_pool_connections=_CONNECTIONS,
    )


@cache
def _descriptions() -> Loader:
    """Return what reads botocore's descriptions of services: once in a process, for reading them takes longest."""
    loader: Loader = get_session().get_component("data_loader")
    return loader


def _moment(value: Any) -> dt.datetime:
    """Read a time. Listings are full of them, and botocore takes three quarters of its time for those."""
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return parse_timestamp(value)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
