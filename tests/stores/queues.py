"""Queues of their own on LocalStack, buckets that tell nothing, and the poller with the real function between them."""

import json
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from functions.ingest.handler import handle
from localstack.queue import Queue
from shared.database import make_engine, make_session_factory, read
from shared.index.models import Failure
from shared.ingest.service import Ingester
from shared.settings import Settings
from shared.simulator import simulate_frame
from shared.store.client import Store
from shared.store.session import make_session
from tests.prepared import prepare
from tests.stores.stored import s3_event

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

__all__ = ["QueueRoom"]


class QueueRoom:
    """What a test of the poller works with. A message is seen again after a second."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        name = f"queued-{uuid.uuid4().hex[:12]}"
        self.name = name
        url = f"sqlite:///{folder / name}.sqlite"
        changes = {"bucket": name, "derived_bucket": f"{name}-derived", "database_url": url, "work_dir": folder}
        self.settings = Settings.model_validate(settings.model_dump() | changes)
        self.store = Store(self.settings)
        self.store.ensure_bucket(name)
        self._engine = make_engine(url)
        prepare(self._engine)
        self._sessions = make_session_factory(self._engine)
        self._ingester = Ingester(self.settings, self.store, self._sessions)
        self.sqs: SQSClient = make_session(settings).client("sqs", endpoint_url=settings.s3_endpoint_url)
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        self.url = self.dead.removesuffix("-dead")

    def make_queue(self, attempts: int) -> None:
        """Make the queue, whose messages go to the dead-letter queue after so many attempts."""
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": attempts})
        attributes: Any = {"VisibilityTimeout": "1", "RedrivePolicy": redrive}
        assert self.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"] == self.url

    @property
    def queue(self) -> Queue:
        """The queue as the poller sees it."""
        return Queue(self.url, self.settings)

    @property
    def handle(self) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """The real function."""
        return partial(handle, ingester=self._ingester)

    def put(self, key: str) -> str:
        """Write a frame, and return the message that tells of it."""
        self.store.write_bytes(self.name, key, simulate_frame(OBJECT=key).data, "application/fits")
        return json.dumps(s3_event(self.name, key))

    def send(self, *bodies: str) -> None:
        """Put messages on the queue."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def waiting(self, url: str) -> int:
        """Return how many messages a queue has, seen or hidden."""
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(value) for value in answer["Attributes"].values())

    def failures(self) -> list[str]:
        """Return the keys that could not be settled."""
        with read(self._sessions) as session:
            return list(session.scalars(select(Failure.key).where(Failure.bucket == self.name)))

    def close(self) -> None:
        """Let go of what it has."""
        self.sqs.close()
        self.store.s3.close()
        self._engine.dispose()
