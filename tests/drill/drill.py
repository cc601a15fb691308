"""The drill itself: start, write and break, mend, prove, stop."""

import logging
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from localstack.stores.setup import set_up_store
from shared.store.client import Store
from tests.archive import wait_until
from tests.drill.archive import DrilledArchive
from tests.drill.belief import Verdict, judge_store
from tests.drill.comparison import Comparison, compare_all
from tests.drill.database import Database
from tests.drill.faults import Faults, plan_faults
from tests.drill.mending import reconcile, wait_for_retries
from tests.drill.payloads import Payloads
from tests.drill.plan import Clock, Plan, Tally, dice
from tests.drill.proxy import DEFAULT_CHAOS, Chaos, Proxy
from tests.drill.writer import Writers

__all__ = ["Result", "run_drill"]

_TICK = 0.05
_LATE = 300.0
_EVENTS = 240.0

Say = Callable[[str], None]


@dataclass(slots=True)
class Result:
    """What came of a drill.

    Attributes
    ----------
    mended
        What each sweep at the end found.
    seconds
        How long each part of the drill took.
    """

    plan: Plan
    tally: Tally = field(default_factory=Tally)
    mended: list[Counter[str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    comparison: Comparison | None = None
    store: Verdict = field(default_factory=Verdict)

    @property
    def agrees(self) -> bool:
        """Whether index, derived bucket and science bucket agree exactly."""
        return self.comparison is not None and not self.comparison.differences


def run_drill(
    plan: Plan, *, chaos: Chaos = DEFAULT_CHAOS, say: Say = lambda _: None, keep: Path | None = None
) -> Result:
    """Run a drill in a folder of its own, and leave nothing running.

    Parameters
    ----------
    chaos
        What the proxy does to events.
    say
        Told what is going on.
    keep
        Where to put the logs if index and buckets do not agree.

    Raises
    ------
    AssertionError, TimeoutError
        A part of the archive does not start, or does not end, in time.
    """
    with tempfile.TemporaryDirectory(prefix="fitsvault-drill-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        result = Result(plan)
        try:
            with _logged(home / "home" / "logs" / "drill.log"), _running(plan, home, chaos, result) as drill:
                drill.run(say)
        finally:
            if keep is not None and not (plan.reconciles and result.agrees):
                shutil.copytree(home / "home" / "logs", keep, dirs_exist_ok=True)
        return result


@dataclass(slots=True)
class _Drill:
    archive: DrilledArchive
    proxy: Proxy
    payloads: Payloads
    writers: Writers
    result: Result

    def run(self, say: Say) -> None:
        plan = self.result.plan
        with self._timed("starting"):
            self.proxy.start()
            self.archive.start()
        say(f"the archive runs: {plan.store}, PostgreSQL, {plan.workers} ingest workers; writing and breaking")
        with self._timed("writing and breaking"):
            self._write_and_break()
        say("the writer has ended; waiting until all answers again, and for the last events")
        with self._timed("waiting for events"):
            self._wait_for_events()
        if plan.reconciles:
            say("reconcile")
            with self._timed("reconciling"):
                self._reconcile()
        say("comparing everything")
        with self._timed("comparing"):
            self._compare()

    def _write_and_break(self) -> None:
        plan, clock = self.result.plan, Clock.now()
        faults = Faults(plan_faults(plan), self.archive, self.proxy, self.result.tally)
        self.writers.start()
        while self.writers.is_at_work() or faults.are_ahead():
            assert clock.seconds < plan.seconds + _LATE, "the writer or the faults do not come to an end"
            faults.act(clock.seconds)
            time.sleep(_TICK)
        self.writers.stop(30)
        faults.mend_all()

    def _wait_for_events(self) -> None:
        set_up_store(self.archive.settings)
        for url in self.archive.worker_urls:
            wait_until("the worker answers again", partial(self.archive.is_healthy, url))
        deadline = time.monotonic() + _EVENTS
        while time.monotonic() < deadline and not self.proxy.is_quiet(self.result.plan.quiet):
            time.sleep(_TICK)
        asked = wait_for_retries(self.archive)
        self.result.tally.add("attempts at objects asked for, not waited for", asked)

    def _reconcile(self) -> None:
        self.result.mended = reconcile(self.archive)
        self.proxy.replay(min(300, self.result.plan.objects // 10))

    def _compare(self) -> None:
        self.archive.stop_workers()
        store = Store(self.archive.settings)
        self.result.comparison = compare_all(
            self.archive.settings, store, self.archive.sessions(), judge=self.payloads.is_frame
        )
        store.s3.close()
        self.result.store = judge_store(self.writers.beliefs(), self.result.comparison.contents)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        clock = Clock.now()
        yield
        self.result.seconds[name] = clock.seconds


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Write what the archive's code says in this process to a file."""
    path.parent.mkdir(parents=True)
    handler, logger = logging.FileHandler(path), logging.getLogger("fitsvault")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
        handler.close()


@contextmanager
def _running(plan: Plan, home: Path, chaos: Chaos, result: Result) -> Iterator[_Drill]:
    """Make all parts, and stop them, whatever happens."""
    database = Database(home)
    try:
        archive = DrilledArchive(plan, home / "home", database)
        workers = [f"{url}/events" for url in archive.worker_urls]
        port = archive.settings.event_port or 0
        proxy = Proxy(port, workers, chaos, dice(plan, "events"), result.tally)
        payloads = Payloads(dice(plan, "payloads"), min(300, 20 + plan.objects // 8))
        writers = Writers(plan, archive.settings, payloads, archive.rename, result.tally)
        try:
            yield _Drill(archive, proxy, payloads, writers, result)
        finally:
            writers.give_up()
            archive.stop()
            proxy.stop()
    finally:
        database.close()
