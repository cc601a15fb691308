"""``fitsvault counts``: whether the counts that lists and option lists rely on are right."""

from typing import Annotated

import typer

from shared.cli.application import ExitCode, app
from shared.cli.parts import opened_index
from shared.database import write
from shared.index.tallies import rebuild, wrong_counts

__all__ = ["counts"]


@app.command(epilog="Example: fitsvault counts · fitsvault counts --rebuild")
def counts(
    anew: Annotated[bool, typer.Option("--rebuild", help="Write the counts anew; ingest waits meanwhile.")] = False,
) -> None:
    """Count all frames anew, and compare that with the counts that lists and option lists are made of.

    Exit code 0: they are right, or were rebuilt. 1: some are wrong.
    """
    with opened_index() as sessions, write(sessions) as session:
        wrong = wrong_counts(session)
        if anew:
            rebuild(session)
    for table, number in wrong.items():
        typer.echo(f"{table}: {number} wrong")
    typer.echo("rebuilt" if anew else "all counts are right" if not wrong else "fitsvault counts --rebuild mends them")
    if wrong and not anew:
        raise typer.Exit(ExitCode.NOT_ALL)
