"""SQS and SNS of a real LocalStack get what a webhook gets."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from sqlalchemy.orm import Session, sessionmaker

from shared.database import write
from shared.errors import NotDeliveredError
from shared.index.announcements import FAILED
from shared.index.failures import record_failure
from shared.index.outbox import announcing
from shared.index.record import FailureRecord
from shared.notify.dispatch import Dispatcher, Fate
from shared.notify.factory import make_targets
from shared.notify.queues import Queue, Topic
from shared.notify.target import Parcel
from shared.settings import Settings
from shared.store.session import make_session
from tests.notify.localstack import running_localstack
from tests.notify.outbox import left, put, remove

pytestmark = pytest.mark.timeout(900)  # the environment of LocalStack may have to be made first

PARCEL = Parcel("7d4c", "frame.indexed", "frames/m51.fits", 1, '{"key":"m51.fits"}')
TARGETS = ("queue", "topic")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with running_localstack(tmp_path_factory.mktemp("localstack")) as settings:
        yield settings


class Cloud:
    """A queue, and a topic with a queue that listens to it."""

    def __init__(self, settings: Settings, suffix: str) -> None:
        make: Any = make_session(settings).client
        self.sqs = make("sqs", endpoint_url=settings.s3_endpoint_url)
        self.sns = make("sns", endpoint_url=settings.s3_endpoint_url)
        fifo = {"FifoQueue": "true"} if suffix else {}
        self.queue = self.sqs.create_queue(QueueName=f"told{suffix}", Attributes=fifo)["QueueUrl"]
        self.listener = self.sqs.create_queue(QueueName=f"heard{suffix}", Attributes=fifo)["QueueUrl"]
        self.topic = self.sns.create_topic(Name=f"news{suffix}", Attributes={"FifoTopic": "true"} if suffix else {})[
            "TopicArn"
        ]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.listener, AttributeNames=["QueueArn"])["Attributes"]
        self.sns.subscribe(
            TopicArn=self.topic,
            Protocol="sqs",
            Endpoint=attributes["QueueArn"],
            Attributes={"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"type": ["frame.indexed", FAILED]})},
        )
        self.settings = settings.model_copy(update={"notify_queue_url": self.queue, "notify_topic_arn": self.topic})

    def received(self, queue: str, count: int) -> list[dict[str, Any]]:
        """Take messages off a queue until there are so many, and see that no more come."""
        found: list[dict[str, Any]] = []
        for _ in range(20):
            seconds = 5 if len(found) < count else 0
            answer = self.sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=seconds, MessageAttributeNames=["All"]
            )
            messages = answer.get("Messages", [])
            for message in messages:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found += messages
            if not messages and len(found) >= count:
                break
        assert len(found) == count
        return found


@pytest.fixture(params=["", ".fifo"], ids=["standard", "fifo"])
def cloud(aws: Settings, request: pytest.FixtureRequest) -> Iterator[Cloud]:
    made = Cloud(aws, request.param)
    yield made
    made.sns.delete_topic(TopicArn=made.topic)
    for queue in (made.queue, made.listener):
        made.sqs.delete_queue(QueueUrl=queue)
    made.sqs.close()
    made.sns.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_becomes_of_objects_is_told_to_queue_and_topic(cloud: Cloud, sessions: sessionmaker[Session]) -> None:
    put(sessions, ["a.fits", "b ü\u2028.fits"], targets=TARGETS)
    remove(sessions, "a.fits", targets=TARGETS)
    message = "\x01\ufffe".join("the reader failed on it" for _ in range(80))
    failure = FailureRecord(
        bucket="frames", key="c.fits", version_id=None, etag="e", size=1, kind="truncated", message=message
    )
    with write(sessions) as session, announcing(session, TARGETS, "frames", "c.fits"):
        record_failure(session, failure)
    dispatcher = Dispatcher(sessions, make_targets(cloud.settings))
    assert dispatcher.dispatch() == {Fate.DELIVERED: 8}
    assert left(sessions) == []
    told = cloud.received(cloud.queue, 4)
    bodies = [json.loads(one["Body"]) for one in told]
    assert {(body["key"], body["type"]) for body in bodies} == {
        ("a.fits", "frame.indexed"),
        ("a.fits", "frame.removed"),
        ("b ü\u2028.fits", "frame.indexed"),
        ("c.fits", "object.failed"),
    }
    for one, body in zip(told, bodies, strict=True):
        assert one["MessageAttributes"]["type"]["StringValue"] == body["type"]
        assert one["MessageAttributes"]["id"]["StringValue"] == body["id"]
    heard = [json.loads(one["Body"]) for one in cloud.received(cloud.listener, 3)]
    assert {body["id"] for body in heard} == {body["id"] for body in bodies if body["type"] != "frame.removed"}


@pytest.mark.parametrize("cloud", [".fifo"], indirect=True)
def test_a_fifo_queue_knows_a_copy(cloud: Cloud) -> None:
    queue = Queue(cloud.settings, cloud.queue)
    queue.send(PARCEL)
    queue.send(PARCEL)
    (one,) = cloud.received(cloud.queue, 1)
    assert one["Body"] == PARCEL.body


@pytest.mark.parametrize("cloud", [""], indirect=True)
def test_queue_and_topic_that_are_not_there(cloud: Cloud) -> None:
    with pytest.raises(NotDeliveredError, match="NonExistentQueue"):
        Queue(cloud.settings, f"{cloud.queue}-gone").send(PARCEL)
    with pytest.raises(NotDeliveredError, match="NotFound"):
        Topic(cloud.settings, f"{cloud.topic}-gone").send(PARCEL)


def test_nobody_there() -> None:
    away = "http://127.0.0.1:9"
    settings = Settings(
        _env_file=None, s3_endpoint_url=away, s3_access_key="x", s3_secret_key="hidden", notify_topic_endpoint_url=away
    )
    targets = (
        Queue(settings, f"{away}/000000000000/told"),
        Topic(settings, "arn:aws:sns:us-east-1:000000000000:news"),
    )
    for target in targets:
        with pytest.raises(NotDeliveredError, match="Could not connect") as caught:
            target.send(PARCEL)
        assert "hidden" not in str(caught.value)


def test_keys_of_a_store_of_ones_own_are_not_shown_to_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-aws")
    settings = Settings(_env_file=None, s3_endpoint_url="http://127.0.0.1:9", s3_access_key="own", s3_secret_key="own")
    boto3.setup_default_session()
    queue = Queue(settings, "https://sqs.eu-west-1.amazonaws.com/123456789012/frames")
    client = queue._client
    assert client._request_signer._credentials.access_key == "of-aws"
    assert (client.meta.region_name, client.meta.endpoint_url) == ("eu-west-1", "https://sqs.eu-west-1.amazonaws.com")
