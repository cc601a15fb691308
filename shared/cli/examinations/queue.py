"""The queue that events come by, where there is one."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from shared.cli.examinations.finding import Finding, note, ok, wrong
from shared.settings import Settings
from shared.store.session import make_session

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

__all__ = ["examine_queue"]

_QUEUE = "queue"
_MANY = 10_000


def examine_queue(settings: Settings) -> Iterator[Finding]:
    """Look how many events wait in the SQS queue, and whether some were given up."""
    if settings.queue_url is None:
        return
    address = urlsplit(settings.queue_url)
    sqs: SQSClient = make_session(settings).client("sqs", endpoint_url=f"{address.scheme}://{address.netloc}")
    try:
        attributes: dict[Any, str] = sqs.get_queue_attributes(QueueUrl=settings.queue_url, AttributeNames=["All"])[
            "Attributes"
        ]
        waiting = int(attributes["ApproximateNumberOfMessages"])
        policy = attributes.get("RedrivePolicy")
        yield _waiting(waiting)
        if policy is None:
            yield note(_QUEUE, "it has no dead-letter queue: what nobody can settle is tried until it expires")
        else:
            yield from _dead(sqs, json.loads(policy)["deadLetterTargetArn"])
    except (BotoCoreError, ClientError) as error:
        yield wrong(_QUEUE, f"it cannot be asked: {error}. Is FITSVAULT_QUEUE_URL right, and may these keys read it?")
    finally:
        sqs.close()


def _waiting(count: int) -> Finding:
    if count > _MANY:
        return note(_QUEUE, f"{count} events wait: docs/scaling.md says what to raise")
    return ok(_QUEUE, f"{count} events wait")


def _dead(sqs: "SQSClient", arn: str) -> Iterator[Finding]:
    url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    if count := int(attributes["ApproximateNumberOfMessages"]):
        yield note(
            _QUEUE, f"{count} events were given up and wait in {arn.rpartition(':')[2]}; sweeps settle their objects"
        )
