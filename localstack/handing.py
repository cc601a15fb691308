"""Handing messages of a queue to the function, as Lambda's event source mapping does."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Handle", "unsettled"]

_log = logging.getLogger("fitsvault.queue")

Handle = Callable[[dict[str, Any]], dict[str, Any]]
"""The function: takes an SQS event, answers ``batchItemFailures``."""


def unsettled(handle: Handle, records: Sequence[dict[str, Any]]) -> set[str]:
    """Return the ids of messages that the function could not settle; of all of them where it failed itself."""
    try:
        answer = handle({"Records": list(records)})
    except Exception:  # noqa: BLE001 - whatever it is, the messages come again
        _log.exception("the function failed")
        return {record["messageId"] for record in records}
    return {failure["itemIdentifier"] for failure in answer.get("batchItemFailures", [])}
