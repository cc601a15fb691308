"""What a seed decides."""

import gzip
import io
import warnings
from collections import Counter
from typing import cast

import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from tests.drill.archive import DrilledArchive
from tests.drill.belief import EMPTY, Belief, judge_store
from tests.drill.faults import Faults, plan_faults
from tests.drill.payloads import Payloads
from tests.drill.plan import Plan, Tally, dice
from tests.drill.proxy import Proxy


def test_a_seed_gives_the_same_drill_again() -> None:
    plan = Plan(seed=5)
    assert plan_faults(plan) == plan_faults(Plan(seed=5)) != plan_faults(Plan(seed=6))
    stocks = [Payloads(dice(plan, "payloads"), 12) for _ in range(2)]
    thrown = [[stock.throw(one).sha256 for one in [dice(plan, "writer 0")] for _ in range(30)] for stock in stocks]
    assert thrown[0] == thrown[1]


@pytest.mark.parametrize("minutes", [0.1, 4.0])
def test_every_kind_of_fault_comes_and_ends(minutes: float) -> None:
    plan = Plan(minutes=minutes)
    faults = plan_faults(plan)
    assert len({fault.name for fault in faults}) == 7
    assert all(0 < fault.begin < fault.begin + fault.seconds < plan.seconds * 1.2 for fault in faults)


def test_on_a_slow_machine_every_fault_comes_late_and_none_while_its_target_is_broken() -> None:
    plan, parts = Plan(minutes=1.0), _Parts()
    planned = plan_faults(plan)
    faults = Faults(list(planned), cast("DrilledArchive", parts), cast("Proxy", parts), Tally())
    for late in range(1, 100):
        if not faults.are_ahead():
            break
        faults.act(plan.seconds + 4.0 * late)
    faults.mend_all()
    assert not faults.are_ahead()
    names = [fault.name.split()[0] for fault in planned]
    assert parts.breaks == {"workers": names.count("workers"), "store": 2, "database": 2, "event": 1}
    assert not parts.broken


class _Parts:
    """Stands in for every part of an archive: counts what breaks, and insists that it was whole before."""

    def __init__(self) -> None:
        self.breaks: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.workers = [_Part(self, "workers", str(number)) for number in range(3)]
        self.store, self.database = _Part(self, "store"), _Part(self, "database")

    def start_worker(self, number: int) -> None:
        self.workers[number].start()

    def start_store(self) -> None:
        self.store.start()

    def stall(self, seconds: float) -> None:
        assert seconds > 0
        self.breaks["event"] += 1


class _Part:
    def __init__(self, parts: _Parts, kind: str, number: str = "") -> None:
        self.parts, self.kind, self.name = parts, kind, kind + number

    def kill(self) -> None:
        assert self.name not in self.parts.broken
        self.parts.broken.add(self.name)
        self.parts.breaks[self.kind] += 1

    stop = kill

    def start(self) -> None:
        self.parts.broken.remove(self.name)

    def is_running(self) -> bool:
        return self.name not in self.parts.broken


@pytest.mark.parametrize("seed", [1, 42])
def test_it_is_right_about_what_is_a_frame(seed: int) -> None:
    payloads = Payloads(dice(Plan(seed=seed), "payloads"), 60)
    assert len({payload.sha256 for payload in payloads.stock}) == len(payloads.stock)
    for payload in payloads.stock:
        assert payloads.is_frame(payload.data) == payload.is_frame == _is_whole(payload.data), payload
    assert payloads.is_frame(b"") is False
    assert payloads.is_frame(b"never uploaded") is None


def _is_whole(data: bytes) -> bool:
    """Tell by another reader than the archive's whether these are FITS files with all of their data."""
    try:
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        with warnings.catch_warnings(), fits.open(io.BytesIO(data), lazy_load_hdus=False) as file:
            warnings.simplefilter("error", AstropyUserWarning)
            return all(hdu.data is None or hdu.data.size for hdu in file)
    except (OSError, EOFError, ValueError, TypeError, AstropyUserWarning):
        return False


def test_the_store_is_judged_by_what_it_acknowledged() -> None:
    told, unsure, emptied, deleted = Belief(), Belief(), Belief(), Belief()
    for belief in (told, unsure, emptied, deleted):
        belief.is_told("first")
    unsure.is_unsure("second")
    emptied.is_unsure(EMPTY)
    deleted.is_told(None)
    beliefs = {"told": told, "unsure": unsure, "emptied": emptied, "deleted": deleted}
    stored = {"told": "first", "unsure": "second", "emptied": EMPTY}
    verdict = judge_store(beliefs, stored)
    assert (verdict.kept, verdict.unacknowledged, verdict.emptied) == (["deleted", "told"], ["unsure"], ["emptied"])
    assert judge_store(beliefs, {"told": "third", "deleted": "first"}).lost == ["deleted", "emptied", "told", "unsure"]
