"""What breaks, and when: planned from the seed, made by the thread that started the processes."""

import logging
import random
import time
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.drill.archive import DrilledArchive
from tests.drill.plan import Plan, Tally, dice
from tests.drill.proxy import Proxy

_log = logging.getLogger("fitsvault.drill")

__all__ = ["Fault", "Faults", "plan_faults"]

_EACH_MINUTE = {
    "workers killed": 4.0,
    "workers stopped": 1.0,
    "store killed": 0.6,
    "store stopped": 0.6,
    "database killed": 0.6,
    "database stopped": 0.6,
    "event queue filled": 0.8,
}
_PAUSE = 1.0
_LONGEST = {"workers killed": 3.0, "event queue filled": 15.0}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something breaks ``begin`` seconds after the writer began, and is mended ``seconds`` later."""

    begin: float
    seconds: float
    name: str
    number: int


def plan_faults(plan: Plan) -> list[Fault]:
    """Return the faults of a drill in the order of their beginning, each kind at least once; none where none come."""
    if not plan.breaks:
        return []
    random = dice(plan, "faults")
    found = []
    for name, rate in _EACH_MINUTE.items():
        for number in range(max(1, round(rate * plan.minutes))):
            begin = plan.seconds * random.uniform(0.05, 0.95)
            length = min(random.uniform(0.5, _LONGEST.get(name, 6.0)), plan.seconds / 6)
            found.append(Fault(begin, length, name, _victim(random, plan, name, number)))
    return sorted(found)


def _victim(random: random.Random, plan: Plan, name: str, number: int) -> int:
    return random.randrange(plan.workers) if name.startswith("workers") else number


class Faults:
    """Makes the planned faults as their time comes. What is broken already is broken again later."""

    def __init__(self, planned: list[Fault], archive: DrilledArchive, proxy: Proxy, tally: Tally) -> None:
        self._ahead = planned
        self._broken: list[tuple[float, str, Callable[[], None]]] = []
        self._archive = archive
        self._proxy = proxy
        self._tally = tally

    def act(self, seconds: float) -> None:
        """Mend and break what is due by now, and start again what has ended without our help."""
        for broken in [one for one in self._broken if one[0] <= seconds]:
            self._broken.remove(broken)
            begin = time.monotonic()
            broken[2]()
            _log.info("%s started again within %.1f s", broken[1], time.monotonic() - begin)
        while self._ahead and self._ahead[0].begin <= seconds:
            self._break(self._ahead.pop(0), seconds)
        self._watch()

    def are_ahead(self) -> bool:
        """Whether planned faults are still to come."""
        return bool(self._ahead)

    def mend_all(self) -> None:
        """Mend what is broken, and break nothing more."""
        self._ahead.clear()
        self.act(float("inf"))

    def _watch(self) -> None:
        broken = {target for _, target, _ in self._broken}
        for number, worker in enumerate(self._archive.workers):
            if f"worker {number}" not in broken and not worker.is_running():
                self._tally.add("WORKERS THAT ENDED BY THEMSELVES")
                self._archive.start_worker(number)
        if "store" not in broken and not self._archive.store.is_running():
            self._tally.add("STORES THAT ENDED BY THEMSELVES")
            self._archive.start_store()

    def _break(self, fault: Fault, now: float) -> None:
        # A slow machine comes late: a fault then lasts from now on, so that whatever is broken ends after now, and
        # what is put off for it comes in a later call.
        target, archive, until = _target(fault), self._archive, now + fault.seconds
        ends = [end for end, broken, _ in self._broken if broken == target]
        if ends:
            insort(self._ahead, replace(fault, begin=max(ends) + _PAUSE))
            return
        self._tally.add(fault.name)
        _log.info("%s for %.1f s", fault.name, fault.seconds)
        if target == "queue":
            self._proxy.stall(fault.seconds)
            return
        kills = fault.name.endswith("killed")
        if target == "store":
            (archive.store.kill if kills else archive.store.stop)()
            mend: Callable[[], None] = archive.start_store
        elif target == "database":
            (archive.database.kill if kills else archive.database.stop)()
            mend = archive.database.start
        else:
            worker = archive.workers[fault.number]
            (worker.kill if kills else worker.stop)()

            def mend() -> None:
                archive.start_worker(fault.number)

        self._broken.append((until, target, mend))


def _target(fault: Fault) -> str:
    part = fault.name.split()[0]
    if part == "event":
        return "queue"
    return f"worker {fault.number}" if part == "workers" else part
