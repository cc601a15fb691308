"""A bundle that is ours to build, held for as long as its builder lives; how far it is goes into its row."""

import datetime as dt
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session, sessionmaker

from shared.bundle.jobs import set_values
from shared.database import DATABASE_TROUBLE, database_time, write
from shared.parallel import meanwhile

__all__ = ["LEASE", "Held", "held"]

LEASE = dt.timedelta(seconds=60)
"""How long the bundle of a killed builder waits for another."""

_LOOKS = 1.0
_log = logging.getLogger("fitsvault.bundle")


class Held:
    """A bundle under work by ``owner``."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.done: int | None = None
        self._lost = threading.Event()

    def tell(self, done: int) -> None:
        """Note how many bytes of it are there."""
        self.done = done

    def lose(self) -> None:
        """Note that it is no longer ours."""
        self._lost.set()

    def is_lost(self) -> bool:
        """Tell whether it has gone to another, or was deleted."""
        return self._lost.is_set()


@contextmanager
def held(sessions: sessionmaker[Session], job_id: str, owner: str, lease: dt.timedelta) -> Iterator[Held]:
    """Renew the lease in the length of the block, and write down what `Held.tell` was told, once a second at most."""
    hold = Held(owner)
    third = lease.total_seconds() / 3
    renewed, told = time.monotonic(), hold.done

    def keep() -> bool:
        nonlocal renewed, told
        if hold.done != told or time.monotonic() - renewed >= third:
            renewed, told = time.monotonic(), hold.done
            if not _renewed(sessions, job_id, hold, lease):
                hold.lose()
        return not hold.is_lost()

    with meanwhile(keep, min(_LOOKS, third), "bundle-lease"):
        yield hold


def _renewed(sessions: sessionmaker[Session], job_id: str, hold: Held, lease: dt.timedelta) -> bool:
    """Renew; False if the bundle is no longer ours. That the database is away is no reason to give it up yet."""
    done = {} if hold.done is None else {"done": hold.done}
    try:
        with write(sessions) as session:
            until = database_time(session) + lease
            return set_values(session, job_id, hold.owner, {"leased_until": until, **done})
    except DATABASE_TROUBLE as error:
        _log.warning("lease not renewed", extra={"bundle": job_id, "reason": type(error).__name__})
        return True
