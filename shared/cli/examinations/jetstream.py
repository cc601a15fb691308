"""The NATS stream that events come by, where there is one."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

from shared.cli.examinations.finding import Finding, note, ok, wrong
from shared.settings import Settings

__all__ = ["examine_jetstream"]

_PART = "queue"
_MANY = 10_000
_SECONDS = 10.0


def examine_jetstream(settings: Settings) -> Iterator[Finding]:
    """Look whether NATS answers, how many events wait in its stream, and whether some were given up."""
    if settings.nats_url is None:
        return
    try:
        from nats.errors import Error as NatsError  # noqa: PLC0415 - only where there is one
    except ImportError:
        yield wrong(_PART, "FITSVAULT_NATS_URL is set, and the package nats-py is not there")
        return
    urls = settings.nats_url.get_secret_value().split(",")
    where = ", ".join(f"{urlsplit(url).hostname}:{urlsplit(url).port or 4222}" for url in urls)
    try:
        waiting, under_work, dead = asyncio.run(asyncio.wait_for(_ask(urls, settings.nats_stream), _SECONDS))
    except (NatsError, OSError) as error:
        reason = str(error) or type(error).__name__
        told = f"NATS at {where} does not tell of its stream {settings.nats_stream}: {reason}"
        yield wrong(_PART, f"{told}. Is FITSVAULT_NATS_URL right, and was all prepared?")
        return
    words = f"{waiting} events wait in the stream {settings.nats_stream}, {under_work} are under work"
    yield note(_PART, f"{words}: docs/scaling.md says what to raise") if waiting > _MANY else ok(_PART, words)
    if dead:
        stream = f"{settings.nats_stream}-dead"
        yield note(_PART, f"{dead} events were given up and wait in {stream}; sweeps settle their objects")


async def _ask(urls: list[str], stream: str) -> tuple[int, int, int]:
    """Return how many events wait, are given out, and were given up."""
    import nats  # noqa: PLC0415 - only where there is one

    async def ignored(_error: Exception) -> None:
        """Ignore it: what matters is raised."""

    client = await nats.connect(urls, connect_timeout=3, allow_reconnect=False, error_cb=ignored)
    try:
        jetstream = client.jetstream()
        consumer = await jetstream.consumer_info(stream, "ingest")
        dead = await jetstream.stream_info(f"{stream}-dead")
        return consumer.num_pending or 0, consumer.num_ack_pending or 0, dead.state.messages
    finally:
        await client.close()
