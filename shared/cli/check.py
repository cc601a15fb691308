"""``fitsvault check``: whether store and index agree."""

from collections import Counter
from collections.abc import Iterable, Iterator
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
            for finding in _findings(checker, prefix, checksums=checksums):
                counts[finding.kind] += 1
                state = _repair(checker, finding) if repair else "differs"
                left += state != "repaired"
                detail = f"  ({finding.detail})" if finding.detail else ""
                typer.echo(f"{finding.kind}  {harmless(finding.key)}{harmless(detail)}" + f"  {state}" * repair)
    except (FitsvaultError, *DATABASE_TROUBLE, OSError) as error:
        fail(f"not checked to the end: {reason_of(error)}", ExitCode.USAGE)
    kinds = [kind for kind in DiscrepancyKind if checksums or kind is not DiscrepancyKind.CHECKSUM]
    typer.echo(", ".join(f"{counts[kind]} {kind}" for kind in kinds))
    if left:
        raise typer.Exit(ExitCode.NOT_ALL)


def _findings(checker: "Checker", prefix: str, *, checksums: bool) -> Iterator["Discrepancy"]:
    yield from checker.objects(prefix)
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


def _repair(checker: "Checker", finding: "Discrepancy") -> str:
    try:
        is_repaired = checker.repair(finding)
    except FitsvaultError as error:
        say(f"not repaired {finding.key}: {error}", style="red")
        return "not repaired"
    if is_repaired:
        return "repaired"
    return "left as it is" if finding.kind == "checksum" else "not repaired"
