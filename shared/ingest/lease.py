"""A range of a sweep, held for as long as its worker lives."""

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy.orm import Session, sessionmaker

from shared.database import DATABASE_TROUBLE, reason_of, write
from shared.index.sweeps import ClaimedRange, release_range, renew_lease
from shared.parallel import meanwhile

__all__ = ["LEASE", "held"]

LEASE = dt.timedelta(seconds=20)
"""How long a range of a killed worker waits for another."""

_log = logging.getLogger("fitsvault.reconcile")


@contextmanager
def held(sessions: sessionmaker[Session], claimed: ClaimedRange, lease: dt.timedelta) -> Iterator[threading.Event]:
    """Renew the lease in the length of the block, and give back what is not done at its end.

    Yields an event that is set when the range has gone to another worker.
    """
    lost = threading.Event()

    def renew() -> bool:
        try:
            with write(sessions) as session:
                if not renew_lease(session, claimed, lease):
                    lost.set()
        except DATABASE_TROUBLE as error:
            _log.warning("lease not renewed", extra={"range": claimed.id, "reason": reason_of(error)})
        return not lost.is_set()

    try:
        with meanwhile(renew, lease.total_seconds() / 3, "lease"):
            yield lost
    finally:
        with (
            suppress(*DATABASE_TROUBLE),
            write(sessions) as session,
        ):  # a lease that cannot be given back ends by itself
            release_range(session, claimed)
