"""What a seed decides."""

import gzip
import io
import warnings

import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from tests.drill.belief import EMPTY, Belief, judge_store
from tests.drill.faults import plan_faults
from tests.drill.payloads import Payloads
from tests.drill.plan import Plan, dice


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
    assert all(0 < fault.begin < fault.end < plan.seconds * 1.2 for fault in faults)


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
