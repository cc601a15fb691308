"""An SQS queue and an SNS topic, standard or FIFO.

The message is the body that a webhook gets, unsigned: who may send is AWS's to say.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import NotDeliveredError
from shared.notify.target import Parcel
from shared.settings import Settings
from shared.store.session import make_session

__all__ = ["Queue", "Topic"]

_CONFIG = Config(
    connect_timeout=5, read_timeout=10, max_pool_connections=8, retries={"mode": "standard", "total_max_attempts": 2}
)
_FIFO = ".fifo"


class Queue:
    """The queue at a URL, which names its server."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._url = url
        region = _region_of_queue(url)
        address = urlsplit(url)
        session = _session(settings, is_of_aws=region is not None)
        self._client = _client(session, "sqs", region, f"{address.scheme}://{address.netloc}")

    def send(self, parcel: Parcel) -> None:
        """Send it."""
        with _told(self._url):
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=parcel.body,
                MessageAttributes=_attributes(parcel),
                **_order(self._url, parcel),
            )


class Topic:
    """The topic of an ARN."""

    def __init__(self, settings: Settings, arn: str) -> None:
        self._arn = arn
        endpoint = settings.notify_topic_endpoint_url
        self._client = _client(_session(settings, is_of_aws=endpoint is None), "sns", arn.split(":")[3], endpoint)

    def send(self, parcel: Parcel) -> None:
        """Publish it."""
        with _told(self._arn):
            self._client.publish(
                TopicArn=self._arn,
                Message=parcel.body,
                MessageAttributes=_attributes(parcel),
                **_order(self._arn, parcel),
            )


def _session(settings: Settings, *, is_of_aws: bool) -> boto3.session.Session:
    """Return a session with the store's keys; but with boto3's own where AWS is asked and the store is not of AWS."""
    if is_of_aws and settings.s3_endpoint_url is not None:
        return boto3.session.Session(region_name=settings.s3_region)
    return make_session(settings)


def _client(session: boto3.session.Session, service: str, region: str | None, endpoint: str | None) -> Any:
    make: Any = session.client
    return make(service, region_name=region, endpoint_url=endpoint, config=_CONFIG)


def _region_of_queue(url: str) -> str | None:
    """Return the region of a queue of AWS, which may be another than the bucket's.

    >>> _region_of_queue("https://sqs.eu-west-1.amazonaws.com/123456789012/frames")
    'eu-west-1'
    """
    found = re.fullmatch(r"sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?", urlsplit(url).hostname or "")
    return found[1] if found else None


def _attributes(parcel: Parcel) -> Any:
    """Return what subscriptions filter by."""
    told = {"type": parcel.type, "id": parcel.event_id}
    return {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}


def _order(name: str, parcel: Parcel) -> dict[str, Any]:
    """Return what a FIFO queue or topic keeps an object's messages in order by, and tells copies by."""
    if not name.endswith(_FIFO):
        return {}
    group = hashlib.sha256(parcel.subject.encode("utf-8", "surrogatepass")).hexdigest()
    return {"MessageGroupId": group, "MessageDeduplicationId": parcel.event_id}


@contextmanager
def _told(place: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise NotDeliveredError(f"{place}: {code}: {error.response.get('Error', {}).get('Message', '')}") from error
    except BotoCoreError as error:
        raise NotDeliveredError(f"{place}: {error}") from error
