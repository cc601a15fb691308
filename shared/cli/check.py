"""``fitsvault check``: whether store and index agree."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from shared.cli.application import ExitCode, app, fail, reason_of
from shared.cli.parts import opened
from shared.cli.terminal import count_bar, harmless, say
from shared.database import DATABASE_TROUBLE
from shared.errors import FitsvaultError

if TYPE_CHECKING:
    from shared.ingest.check import Checker
    from shared.ingest.discrepancies import Discrepancy

__all__ = ["check"]


@app.command(epilog="Example: fitsvault check · fitsvault check --checksums --prefix 2026/1121/")
def check(
    prefix: Annotated[str, typer.Option(help="Only keys that begin so; then orphans are not looked for.")] = "",
    checksums: Annotated[bool, typer.Option("--checksums", help="Read all bytes again.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what differs.")] = False,
) -> None:
    """Compare objects, rows, derived objects and, if asked for, checksums with each other.

    Exit code 0: they agree, or do after --repair. 1: they differ. 2: that could not be found out.
    """
    from shared.ingest.check import Checker  # noqa: PLC0415 - brings astropy
    from shared.ingest.discrepancies import DiscrepancyKind  # noqa: PLC0415

    counts: Counter[str] = Counter()
    left = 0
    try:
        with opened() as parts:
            checker = Checker(parts.settings, parts.store, parts.sessions, parts.ingester())
            held = _Held(checker, prefix, is_wanted=repair)
            for finding in _findings(checker, prefix, held, checksums=checksums):
                counts[finding.kind] += 1
                state = _repair(checker, finding, held) if repair else "differs"
                left += state != "repaired"
                detail = f"  ({finding.detail})" if finding.detail else ""
                typer.echo(f"{finding.kind}  {harmless(finding.key)}{harmless(detail)}" + f"  {state}" * repair)
    except (FitsvaultError, *DATABASE_TROUBLE, OSError) as error:
        fail(f"not checked to the end: {reason_of(error)}", ExitCode.USAGE)
    kinds = [kind for kind in DiscrepancyKind if checksums or kind is not DiscrepancyKind.CHECKSUM]
    typer.echo(", ".join(f"{counts[kind]} {kind}" for kind in kinds))
    if left:
        raise typer.Exit(ExitCode.NOT_ALL)


class _Held:
    """Frames without objects, which are counted before any is removed: too many of them are kept."""

    def __init__(self, checker: "Checker", prefix: str, *, is_wanted: bool) -> None:
        self._checker = checker
        self._prefix = prefix
        self._is_wanted = is_wanted
        self._count = 0
        self.are_kept = False

    def passed(self, findings: "Iterable[Discrepancy]") -> "Iterator[Discrepancy]":
        """Return the findings without those that are held."""
        for finding in findings:
            if self._is_wanted and finding.loses_frame:
                self._count += 1
            else:
                yield finding

    def released(self) -> "Iterator[Discrepancy]":
        """Return what was held, as it is by now, and decide about it."""
        from shared.ingest.brake import advice, is_too_much  # noqa: PLC0415

        if not self._count:
            return
        missing = self._checker.missing(self._count, self._prefix)
        self.are_kept = is_too_much(missing)
        if self.are_kept:
            say(advice(missing, self._prefix), style="red")
        again = (finding for finding in self._checker.objects(self._prefix) if finding.loses_frame)
        yield from islice(again, self._count)


def _findings(checker: "Checker", prefix: str, held: _Held, *, checksums: bool) -> Iterator["Discrepancy"]:
    yield from held.passed(checker.objects(prefix))
    yield from held.released()
    yield from checker.derived(prefix)
    if checksums:
        yield from _counted(checker.checksums(prefix))


def _counted(results: "Iterable[Discrepancy | None]") -> Iterator["Discrepancy"]:
    with count_bar() as bar:
        task = bar.add_task("Reading", total=None)
        for finding in results:
            bar.advance(task)
            if finding is not None:
                yield finding


def _repair(checker: "Checker", finding: "Discrepancy", held: _Held) -> str:
    if finding.loses_frame and held.are_kept:
        return "not repaired"
    try:
        is_repaired = checker.repair(finding)
    except FitsvaultError as error:
        say(f"not repaired {finding.key}: {error}", style="red")
        return "not repaired"
    if is_repaired:
        return "repaired"
    return "left as it is" if finding.kind == "checksum" else "not repaired"
