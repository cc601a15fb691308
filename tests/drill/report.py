"""What a drill has to say: plain text."""

from collections.abc import Iterable, Iterator

from tests.drill.drill import Result

__all__ = ["describe"]

_SHOWN = 25
_MISSING = ("missing", "derived missing", "phantom frame", "phantom failure", "stale frame", "stale failure")


def describe(result: Result) -> str:
    """Return the report on a drill."""
    plan = result.plan
    lines = [
        f"seed {plan.seed}, {plan.objects} objects, {plan.store}, PostgreSQL, {plan.workers} ingest workers,"
        f" {'with' if plan.reconciles else 'WITHOUT'} reconcile",
        "",
        "what was done",
        *_table(sorted(result.tally.items())),
        "",
        "how long it took",
        *(f"  {seconds:>8.1f} s  {name}" for name, seconds in result.seconds.items()),
        *_of_reconcile(result),
        *_of_store(result),
        *_verdict(result),
    ]
    return "\n".join(lines) + "\n"


def _of_reconcile(result: Result) -> Iterator[str]:
    if result.plan.reconciles:
        yield from ("", "what reconcile found at the end, by sweep, after all that the workers' own sweeps had mended")
        for number, counts in enumerate(result.mended, 1):
            found = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
            yield f"  {number}. {found or 'nothing'}"


def _of_store(result: Result) -> Iterator[str]:
    store = result.store
    yield from ("", "what the store made of the writer's requests, by key")
    yield from _table(
        [
            ("as acknowledged last", len(store.kept)),
            ("a request came true that was not acknowledged", len(store.unacknowledged)),
            ("empty since an upload that was cut, new keys among them", len(store.emptied)),
            ("acknowledged, and not there: the store's loss", len(store.lost)),
        ]
    )
    yield from (f"    {key!r}" for key in store.lost[:_SHOWN])


def _verdict(result: Result) -> Iterator[str]:
    comparison = result.comparison
    if comparison is None:
        yield from ("", "not compared")
        return
    yield from ("", "what there is")
    yield from _table(comparison.counts.items())
    kinds = comparison.by_kind()
    yield ""
    if not kinds:
        yield "index, derived bucket and science bucket agree exactly; failures are exactly the objects that are broken"
        return
    shown = dict.fromkeys((*_MISSING, *sorted(kinds))) if not result.plan.reconciles else dict.fromkeys(sorted(kinds))
    yield "THEY DO NOT AGREE" if result.plan.reconciles else "without reconcile they do not agree"
    yield from _table((kind, kinds[kind]) for kind in shown)
    if result.plan.reconciles:
        yield from (f"    {one.kind}: {one.key!r} {one.detail}" for one in comparison.differences[:_SHOWN])


def _table(counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    yield from (f"  {count:>8}  {name}" for name, count in counts)
