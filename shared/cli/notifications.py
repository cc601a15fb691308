"""``fitsvault notifications``: what others are still to be told, and what they could not be told."""

from collections.abc import Iterator
from typing import Annotated

import typer
from sqlalchemy.orm import Session, sessionmaker

from shared.cli.application import ExitCode, app, fail
from shared.cli.parts import opened_index
from shared.cli.terminal import harmless, say
from shared.database import read, write
from shared.index.models import OutboxMessage
from shared.index.undelivered import (
    count_messages,
    drop_given_up,
    drop_messages,
    list_messages,
    retry_given_up,
)

__all__ = ["notifications"]


@app.command(epilog="Example: fitsvault notifications · fitsvault notifications --drop 12 13")
def notifications(
    numbers: Annotated[list[int] | None, typer.Argument(help="With --drop: numbers of messages.", min=0)] = None,
    limit: Annotated[int, typer.Option(help="List at most so many, those given up first.", min=1)] = 100,
    retry_all: Annotated[bool, typer.Option("--retry-all", help="Try again all that was given up.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Forget the messages with these numbers.")] = False,
    drop_all: Annotated[bool, typer.Option("--drop-all", help="Forget all that was given up.")] = False,
) -> None:
    """List the notifications that wait or were given up, and why; try again, or forget, those that were given up."""
    if retry_all + drop + drop_all > 1:
        fail("give one of --retry-all, --drop and --drop-all", ExitCode.USAGE)
    if drop != bool(numbers):
        fail("numbers are for --drop, and it needs them", ExitCode.USAGE)
    with opened_index() as sessions:
        if retry_all:
            with write(sessions) as session:
                typer.echo(f"{retry_given_up(session)} to be tried again")
        elif drop_all:
            with write(sessions) as session:
                typer.echo(f"{drop_given_up(session)} dropped")
        elif drop:
            _drop(sessions, numbers or [])
        else:
            _list(sessions, limit)


def _drop(sessions: sessionmaker[Session], numbers: list[int]) -> None:
    with write(sessions) as session:
        dropped = set(drop_messages(session, numbers))
    for number in sorted(set(numbers) - dropped):
        say(f"no message {number}", style="red")
    typer.echo(f"{len(dropped)} dropped")
    if dropped != set(numbers):
        raise typer.Exit(ExitCode.NOT_ALL)


def _list(sessions: sessionmaker[Session], limit: int) -> None:
    with read(sessions) as session:
        backlogs, rows = count_messages(session), list_messages(session, limit=limit)
    for row in rows:
        for line in _lines(row):
            typer.echo(line)
    for backlog in backlogs:
        typer.echo(f"{backlog.target}: {backlog.waiting} waiting, {backlog.given_up} given up")
    if not backlogs:
        typer.echo("nothing waits, nothing was given up")


def _lines(row: OutboxMessage) -> Iterator[str]:
    yield f"{row.id}  {row.type} to {row.target}: {row.bucket}/{harmless(row.key)}"
    if row.reason is not None:
        yield f"    {harmless(row.reason)}"
    state = f"next attempt {row.due_at:%Y-%m-%d %H:%M:%S}" if row.due_at is not None else "given up"
    times = f"{row.attempts} time{'s' * (row.attempts != 1)}"
    yield f"    since {row.created_at:%Y-%m-%d %H:%M:%S}, tried {times}, {state} (UTC)"
