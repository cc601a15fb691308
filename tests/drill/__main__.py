"""``python -m tests.drill``: a drill, its report, and exit code 1 unless all agrees in the end."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localstack.foreground import stop_on_signals
from tests.drill.drill import run_drill
from tests.drill.plan import Plan
from tests.drill.report import describe

__all__ = ["main"]

_LONGEST_REST = 1500.0
"""Seconds for all that comes after writing and breaking."""


def main() -> int:
    """Run one drill."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of every choice; random")
    parser.add_argument("--objects", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=4.0, help="of writing and breaking; what follows is extra")
    parser.add_argument("--store", choices=("seaweedfs", "minio"), default="seaweedfs")
    parser.add_argument("--workers", type=int, default=3, help="ingest processes")
    parser.add_argument("--no-reconcile", action="store_true", help="show what would be missing without reconcile")
    parser.add_argument("--logs", type=Path, help="folder for the logs of a drill that fails")
    given = parser.parse_args()
    plan = Plan(
        seed=given.seed,
        objects=given.objects,
        minutes=given.minutes,
        store=given.store,
        workers=given.workers,
        reconciles=not given.no_reconcile,
    )
    print(f"seed {plan.seed}", flush=True)
    begun = time.monotonic()

    def say(news: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {news}", flush=True)

    try:
        with stop_on_signals(), _ended_after(plan.seconds + _LONGEST_REST):
            result = run_drill(plan, say=say, keep=given.logs)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    print(f"\n{describe(result)}", flush=True)
    return 0 if result.agrees or not plan.reconciles else 1


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """Raise TimeoutError where everything else that is bounded takes too long together."""

    def end(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"the drill has not ended after {seconds:.0f} s")

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    sys.exit(main())
