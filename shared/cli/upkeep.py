"""Commands that keep index and bucket in agreement: failures, reconcile, reindex."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from shared.cli.application import ExitCode, app, fail
from shared.cli.parts import Parts, opened, opened_index
from shared.cli.terminal import count_bar, harmless, say
from shared.database import read
from shared.index.failures import find_failure, list_failures, walk_failures
from shared.index.missing import withheld
from shared.index.models import Failure

__all__ = ["failures", "reconcile", "reindex"]

_LIMIT_OF_TROUBLE = 10


@app.command(epilog="Example: fitsvault failures --kind truncated · fitsvault failures --retry night1/m51.fits")
def failures(
    keys: Annotated[list[str] | None, typer.Argument(help="With --retry: keys to read again.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only failures of this kind.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Only keys that begin so.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the latest first.", min=1)] = 100,
    retry: Annotated[bool, typer.Option("--retry", help="Read the objects with these keys again.")] = False,
    retry_all: Annotated[bool, typer.Option("--retry-all", help="Read all of them again.")] = False,
) -> None:
    """List the objects that could not be indexed, and why; or read them again."""
    if retry or retry_all:
        if bool(keys) == retry_all or (retry and retry_all):
            fail("give keys with --retry, or --retry-all", ExitCode.USAGE)
        _retry(keys or [], kind, prefix)
    elif keys:
        fail("keys are for --retry; --prefix chooses what is listed", ExitCode.USAGE)
    else:
        _list(kind, prefix, limit)


@app.command(epilog="Example: fitsvault reconcile · fitsvault reconcile --prefix 2026/ --workers 2")
def reconcile(
    prefix: Annotated[str, typer.Option(help="Only keys that begin so; then orphans are not looked for.")] = "",
    workers: Annotated[int, typer.Option(help="Parts compared at once.", min=1, max=64)] = 1,
    remove_missing: Annotated[
        bool, typer.Option("--remove-missing", help="Also remove frames without objects that are more than half.")
    ] = False,
) -> None:
    """Compare bucket, index and derived objects, and settle what no event told.

    Others that do the same just now share the work; what one that was stopped has done is not done again. Where more
    than half of the frames, and more than a hundred, have no object any more, they are kept: the bucket may be wrong.
    """
    from shared.ingest.brake import advice  # noqa: PLC0415
    from shared.ingest.shards import Scope  # noqa: PLC0415

    with opened() as parts:
        with count_bar() as bar:
            task = bar.add_task("Comparing", total=None)
            swept = parts.reconciler().sweep(
                prefix,
                scope=Scope.REMOVAL if remove_missing else Scope.ALL,
                workers=workers,
                told=lambda counts: bar.advance(task, counts.get("compared", 0)),
            )
        with read(parts.sessions) as session:
            missing = withheld(session, parts.bucket, prefix)
    words = ("unindexed", "phantom", "stale", "derived-missing", "derived-orphan", "unsettled", "compared")
    typer.echo(", ".join(f"{swept.counts.get(word, 0)} {word}" for word in words))
    if missing is not None:
        say(advice(missing, prefix), style="red")
    if swept.counts.get("unsettled") or missing is not None:
        raise typer.Exit(ExitCode.NOT_ALL)


@app.command(epilog="Example: fitsvault reindex --prefix 2026/ · fitsvault reindex --all --after 2026/1121/m51.fits")
def reindex(
    prefix: Annotated[str, typer.Option(help="Only keys that begin so.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All objects of the bucket.")] = False,
    after: Annotated[str, typer.Option(help="Only keys behind this one: where a stopped run goes on.")] = "",
    workers: Annotated[int, typer.Option(help="Objects read at once.", min=1, max=64)] = 2,
) -> None:
    """Read objects again, known or not, and write their rows, headers and previews anew."""
    if bool(prefix) == every:
        fail("give --prefix, or --all", ExitCode.USAGE)
    with opened() as parts:
        keys = (found.key for found in parts.store.walk(parts.bucket, prefix=prefix, after=after))
        _read_again(parts, keys, workers=workers, can_resume=True)


def _list(kind: str | None, prefix: str | None, limit: int) -> None:
    with opened_index() as sessions, read(sessions) as session:
        count, rows = list_failures(session, limit=limit, offset=0, kind=kind, prefix=prefix)
    for row in rows:
        for line in _lines(row):
            typer.echo(line)
    typer.echo(f"{count} failures" if count != 1 else "1 failure")


def _lines(row: Failure) -> Sequence[str]:
    return (
        f"{row.bucket}/{harmless(row.key)}",
        f"    {harmless(row.message)}",
        f"    {row.kind}, {row.size} bytes, ETag {row.etag}, tried {row.attempts} time{'s' * (row.attempts != 1)},"
        f" first {row.first_at:%Y-%m-%d %H:%M:%S}, last {row.last_at:%Y-%m-%d %H:%M:%S} UTC",
    )


def _retry(keys: list[str], kind: str | None, prefix: str | None) -> None:
    with opened() as parts:
        chosen = iter([_failed_key(parts, key) for key in keys]) if keys else _failed_keys(parts, kind, prefix)
        _read_again(parts, chosen, workers=2)


def _failed_keys(parts: Parts, kind: str | None, prefix: str | None) -> Iterator[str]:
    for found in walk_failures(parts.sessions, parts.bucket, prefix=prefix or ""):
        if kind is None or _kind(parts, found.key) == kind:
            yield found.key


def _kind(parts: Parts, key: str) -> str | None:
    with read(parts.sessions) as session:
        found = find_failure(session, parts.bucket, key)
    return found.kind if found else None


def _failed_key(parts: Parts, key: str) -> str:
    """Return the key of a failure, given as it is or as the list shows it, behind the bucket's name."""
    with read(parts.sessions) as session:
        known = [
            candidate
            for candidate in (key, key.removeprefix(f"{parts.bucket}/"))
            if find_failure(session, parts.bucket, candidate) is not None
        ]
    return known[0] if known else fail(f"no failure of {harmless(key)}")


def _read_again(parts: Parts, keys: Iterator[str], *, workers: int, can_resume: bool = False) -> None:
    """Settle keys with force. Their order is that of the bucket, so that the last one done says where to go on."""
    from shared.ingest.arrivals import settle_keys  # noqa: PLC0415 - brings astropy

    counts = dict.fromkeys(("indexed", "removed", "failed"), 0)
    last, trouble, is_whole = "", 0, False
    try:
        with count_bar() as bar:
            task = bar.add_task("Reading", total=None)
            for done in settle_keys(parts.ingester(), parts.sessions, parts.bucket, keys, force=True, workers=workers):
                bar.advance(task)
                if done.outcome in counts:
                    counts[done.outcome] += 1
                if done.reason is not None:
                    say(f"not indexed {done.key}: {done.reason}", style="red")
                trouble = trouble + 1 if done.is_unsettled else 0
                if trouble == _LIMIT_OF_TROUBLE:
                    fail("ten objects in a row could not be settled; try again later", ExitCode.AWAY)
                last = last if trouble else done.key
        is_whole = True
    finally:
        typer.echo(", ".join(f"{count} {word}" for word, count in counts.items()))
        if can_resume and last and not is_whole:
            say(f"To go on: the same command with --after '{last}'")
    if counts["failed"]:
        raise typer.Exit(ExitCode.NOT_ALL)
