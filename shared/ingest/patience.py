"""Trouble that may pass: tried again with patience, noted where an operator finds it, and given up in the end.

What is wrong with an object itself is a failure at once (`shared.ingest.service`). What is wrong with the day (a
store that answers, but not for this object; no room on the disk; a database that was just restarted) is noted as a
failure of kind ``unavailable``, and tried again when its time has come. Where the store or the database as a whole is
away nothing is counted against the object: whoever told of it tells again.
"""

import datetime as dt
import random

from shared.backoff import delay
from shared.database import DATABASE_TROUBLE, reason_of, utc_now
from shared.errors import FitsvaultError, StoreError
from shared.index.knowledge import KnownObject
from shared.ingest.service import Ingester, Outcome

__all__ = ["TRANSIENT", "note_trouble", "settle_or_defer"]

TRANSIENT = (FitsvaultError, *DATABASE_TROUBLE, OSError)
"""What a later attempt may cure."""

_FIRST_SECONDS = 2.0
_LONGEST_SECONDS = 900.0


def settle_or_defer(ingester: Ingester, bucket: str, key: str) -> Outcome:
    """Settle an object, or note when to try again; the outcome is DEFERRED then.

    Raises
    ------
    StoreError
        The store as a whole is away. Nothing is noted.
    sqlalchemy.exc.DBAPIError
        The database is away. Nothing could be noted.
    """
    try:
        return ingester.settle(bucket, key)
    except StoreError as error:
        ingester.check_store()
        reason = reason_of(error)
    except (*DATABASE_TROUBLE, OSError) as error:
        reason = reason_of(error)
    most = ingester.settings.retry_attempts
    ingester.entries.note_unavailable(
        key, reason, count=_next_attempt, due=lambda attempts: _due(attempts) if attempts < most else None
    )
    return Outcome.DEFERRED


def note_trouble(ingester: Ingester, key: str, error: Exception, attempts: int) -> None:
    """Note that an attempt has failed which somebody else (a queue) makes again, or does not make again.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        The database is away. Nothing could be noted.
    """
    ingester.entries.note_unavailable(key, reason_of(error), count=lambda _: attempts, due=lambda _: None)


def _next_attempt(known: KnownObject) -> int:
    """Count on while attempts follow each other; what was given up, or was another kind of failure, begins anew."""
    failure = known.failure
    if failure is None or failure.is_verdict or not failure.is_to_be_retried:
        return 1
    return failure.attempts + 1


def _due(attempts: int) -> dt.datetime:
    seconds = delay(attempts, base=_FIRST_SECONDS, cap=_LONGEST_SECONDS, random=random.random())  # noqa: S311
    return utc_now() + dt.timedelta(seconds=seconds)
