"""A small drill, and the same without what mends: everything is real, and everything breaks."""

from tests.drill.drill import run_drill
from tests.drill.plan import Plan
from tests.drill.proxy import Chaos
from tests.drill.report import describe


def test_after_all_faults_index_and_buckets_agree() -> None:
    plan = Plan(seed=4, objects=100, minutes=0.15, workers=2, quiet_seconds=1.0, orphan_seconds=3.0)
    result = run_drill(plan, chaos=Chaos(drop=0.1, longest_delay=3.0))
    assert result.agrees, describe(result)
    assert result.comparison is not None
    assert result.comparison.counts["frames"] > 50
    for fault in ("workers killed", "store killed", "database killed", "events dropped", "copies of events"):
        assert result.tally[fault] > 0, describe(result)


def test_without_reconcile_what_no_event_told_is_missing() -> None:
    plan = Plan(seed=4, objects=12, minutes=0.02, workers=1, reconciles=False, breaks=False, quiet_seconds=0.5)
    result = run_drill(plan, chaos=Chaos(drop=1.0, delay=0.0, duplicate=0.0))
    assert result.comparison is not None
    assert not result.agrees
    assert result.comparison.by_kind()["missing"] == result.comparison.counts["objects"] > 5
    assert "without reconcile they do not agree" in describe(result)
