"""Reconcile, run to its end as an operator or a schedule runs it."""

import datetime as dt
import time
from collections import Counter

from sqlalchemy import func, select, update

from shared.database import read, write
from shared.index.failures import UNAVAILABLE
from shared.index.models import Failure
from shared.ingest.reconcile import COMPARED, Reconciler
from shared.ingest.service import Ingester
from shared.store.client import Store
from tests.drill.archive import DrilledArchive

__all__ = ["reconcile", "wait_for_retries"]

_RETRY_PATIENCE = 45.0
_SWEEPS = 600.0
_PAUSE = 1.0


def reconcile(archive: DrilledArchive) -> list[Counter[str]]:
    """Sweep until a sweep finds nothing and the youngest orphan is old enough; return what each of them found."""
    settings, sessions, store = archive.settings, archive.sessions(), Store(archive.settings)
    reconciler = Reconciler(settings, store, sessions, Ingester(settings, store, sessions))
    begun, found = time.monotonic(), list[Counter[str]]()
    while True:
        swept = reconciler.sweep(workers=2)
        assert swept.is_complete
        found.append(Counter({kind: count for kind, count in swept.counts.items() if kind != COMPARED and count}))
        if not found[-1] and time.monotonic() - begun > settings.orphan_seconds:
            return found
        assert time.monotonic() - begun < _SWEEPS, f"reconcile comes to no end: {found}"
        time.sleep(_PAUSE)


def wait_for_retries(archive: DrilledArchive) -> int:
    """Let the workers make the attempts that are due; ask for those that wait longer, and return how many that were."""
    sessions = archive.sessions()
    deadline = time.monotonic() + _RETRY_PATIENCE
    pending = select(func.count()).select_from(Failure).where(Failure.kind == UNAVAILABLE)
    asked = 0
    while time.monotonic() < deadline:
        with read(sessions) as session:
            left = session.scalar(pending)
        if not left:
            break
        time.sleep(0.5)
        if not asked and time.monotonic() > deadline - _RETRY_PATIENCE / 2:
            with write(sessions) as session:
                due = update(Failure).where(Failure.kind == UNAVAILABLE).values(retry_at=dt.datetime(1970, 1, 1))
                asked = session.execute(due).rowcount  # type: ignore[attr-defined]
    return asked
