"""A NATS JetStream with the bucket's events, made where it is missing; its messages as Lambda hands on those of SQS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from shared.settings import Settings

__all__ = ["Stream", "connected", "ensure_streams", "record_of"]

_CONSUMER = "ingest"
_DEAD_SECONDS = 14 * 86400.0
_MOST_PENDING = 10_000
_STREAM_EXISTS = 10058


@dataclass(frozen=True, slots=True)
class Stream:
    """What the archive uses in NATS.

    ``ack_seconds`` is how long a message that was given out is hidden from others, unless whoever has it says that it
    is worked on.
    """

    name: str
    replicas: int
    ack_seconds: float

    @classmethod
    def of(cls, settings: Settings) -> "Stream":
        """Return the stream that settings name."""
        return cls(settings.nats_stream, settings.nats_replicas, settings.nats_ack_seconds)

    @property
    def subject(self) -> str:
        """What MinIO publishes to."""
        return f"{self.name}.events"

    @property
    def dead_name(self) -> str:
        """The stream of messages that were given up."""
        return f"{self.name}-dead"

    @property
    def dead_subject(self) -> str:
        """What those are published to."""
        return f"{self.name}.dead"

    async def ensure(self, jetstream: JetStreamContext) -> None:
        """Make both streams and the consumer that all workers share; those that are there stay as they are."""
        common: dict[str, Any] = {"storage": StorageType.FILE, "num_replicas": self.replicas}
        await _ensure(
            jetstream,
            StreamConfig(name=self.name, subjects=[self.subject], retention=RetentionPolicy.WORK_QUEUE, **common),
        )
        await _ensure(
            jetstream,
            StreamConfig(name=self.dead_name, subjects=[self.dead_subject], max_age=_DEAD_SECONDS, **common),
        )
        try:
            await jetstream.consumer_info(self.name, _CONSUMER)
        except NotFoundError:
            await jetstream.add_consumer(
                self.name,
                ConsumerConfig(
                    durable_name=_CONSUMER,
                    ack_policy=AckPolicy.EXPLICIT,
                    ack_wait=self.ack_seconds,
                    max_deliver=-1,
                    max_ack_pending=_MOST_PENDING,
                ),
            )

    async def subscribe(self, jetstream: JetStreamContext) -> JetStreamContext.PullSubscription:
        """Return what messages are fetched from."""
        return await jetstream.pull_subscribe_bind(consumer=_CONSUMER, stream=self.name)


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Client]:
    """Connect, to one server of several, and to another if that is lost.

    Raises
    ------
    nats.errors.Error, OSError
        None of them answers.
    """
    assert settings.nats_url is not None
    client = await nats.connect(
        settings.nats_url.get_secret_value().split(","),
        name="fitsvault-ingest",
        connect_timeout=5,
        max_reconnect_attempts=-1,
        error_cb=_ignored,
    )
    try:
        yield client
    finally:
        await client.close()


async def ensure_streams(settings: Settings) -> None:
    """Make the streams of the settings where they are missing. Raises as `connected` does."""
    async with connected(settings) as client:
        await Stream.of(settings).ensure(client.jetstream())


def record_of(message: Msg) -> dict[str, Any]:
    """Return a message as Lambda hands on one of an SQS queue."""
    metadata = message.metadata
    return {
        "messageId": f"{metadata.stream}:{metadata.sequence.stream}",
        "body": message.data.decode("utf-8", "replace"),
        "attributes": {"ApproximateReceiveCount": str(metadata.num_delivered)},
        "eventSource": "aws:sqs",
    }


async def _ensure(jetstream: JetStreamContext, config: StreamConfig) -> None:
    try:
        await jetstream.add_stream(config)
    except BadRequestError as error:
        if error.err_code != _STREAM_EXISTS:
            raise


async def _ignored(_error: Exception) -> None:
    """Ignore what the client gets over by itself; what it does not is raised where it was asked for."""
