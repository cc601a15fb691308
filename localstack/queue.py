"""An SQS queue, its messages in the form in which Lambda's event source mapping hands them on."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.config import Config

from shared.settings import Settings
from shared.store.session import make_session

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

__all__ = ["Queue"]

_AT_ONCE = 10
_POLL_SECONDS = 5
_AWS_HOST = re.compile(r"^sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$")


class Queue:
    """A queue anywhere: its URL names its server. Safe to share between threads.

    Every method raises botocore's errors.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        self.url = url
        address = urlsplit(url)
        host = _AWS_HOST.match(address.hostname or "")
        self.region = host.group(1) if host else settings.s3_region
        self._sqs: SQSClient = make_session(settings).client(
            "sqs",
            region_name=self.region,
            endpoint_url=f"{address.scheme}://{address.netloc}",
            config=Config(connect_timeout=5, read_timeout=_POLL_SECONDS + 15, retries={"max_attempts": 1}),
        )

    @cached_property
    def _attributes(self) -> dict[str, str]:
        answer = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn", "VisibilityTimeout"])
        return {str(name): value for name, value in answer["Attributes"].items()}

    @property
    def visibility_seconds(self) -> int:
        """How long a message that was taken is hidden from others."""
        return int(self._attributes["VisibilityTimeout"])

    def receive(self) -> list[dict[str, Any]]:
        """Wait some seconds for messages, and return up to ten of them as Lambda's records."""
        arn = self._attributes["QueueArn"]
        answer = self._sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=_AT_ONCE,
            WaitTimeSeconds=_POLL_SECONDS,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [self._record(message, arn) for message in answer.get("Messages", [])]

    def delete(self, records: Sequence[dict[str, Any]]) -> None:
        """Take messages off the queue for good. One that cannot be taken off comes again."""
        if records:
            entries = [{"Id": str(number), "ReceiptHandle": one["receiptHandle"]} for number, one in enumerate(records)]
            self._sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)  # type: ignore[arg-type]

    def hide(self, records: Sequence[dict[str, Any]], seconds: int) -> None:
        """Hide messages for so long from now on; 0 gives them back."""
        if records:
            entries = [
                {"Id": str(number), "ReceiptHandle": one["receiptHandle"], "VisibilityTimeout": seconds}
                for number, one in enumerate(records)
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)  # type: ignore[arg-type]

    def _record(self, message: "MessageTypeDef", arn: str) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(message.get("Attributes", {})),
            "messageAttributes": dict(message.get("MessageAttributes", {})),
            "md5OfBody": message.get("MD5OfBody", ""),
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": self.region,
        }
