"""Commands that speak to the bucket and the index themselves."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from sqlalchemy.exc import DBAPIError

from shared.cli.application import app, errors, fail, given_settings
from shared.database import make_engine, make_session_factory, read
from shared.errors import FitsvaultError
from shared.index.failures import list_failures
from shared.settings import settings_table
from shared.store.client import Store
from shared.uploads import Upload, plan_uploads, run_uploads

__all__ = ["demo", "failures", "list_settings", "reconcile", "upload"]


@app.command(epilog="Example: fitsvault upload --prefix night1/ *.fits")
def upload(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with files.", show_default=False)],
    prefix: Annotated[str, typer.Option(help="What all keys begin with.")] = "",
) -> None:
    """Put FITS files into the bucket; a moment later they are in the archive."""
    try:
        planned = list(plan_uploads(paths, prefix))
    except OSError as error:
        fail(str(error))
    _send(planned)


@app.command(epilog="Example: fitsvault demo --night 2026-11-21")
def demo(
    night: Annotated[str, typer.Option(help="Night to simulate, YYYY-MM-DD; by default the last one.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed, another night.")] = 0,
) -> None:
    """Simulate a small night of a robotic telescope, and upload it."""
    from shared.simulator import simulate_night  # noqa: PLC0415 - brings astropy, which other commands do without

    try:
        date = dt.date.fromisoformat(night) if night else dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    except ValueError:
        fail(f"not a date (YYYY-MM-DD): {night}")
    with errors.status(f"Simulating the night of {date}…"):
        frames = [Upload.of_bytes(frame.key, frame.data) for frame in simulate_night(night=date, seed=seed)]
    _send(frames)


@app.command(epilog="Example: fitsvault failures --kind truncated")
def failures(
    kind: Annotated[str | None, typer.Option(help="Only failures of this kind.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Only keys that begin so.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the latest first.", min=1)] = 100,
) -> None:
    """List the objects that could not be indexed, and why."""
    given = given_settings()
    try:
        sessions = make_session_factory(make_engine(given.effective_database_url))
        with read(sessions) as session:
            count, rows = list_failures(session, limit=limit, offset=0, kind=kind, prefix=prefix)
    except DBAPIError as error:
        fail(f"the index cannot be read: {error.orig}")
    for row in rows:
        typer.echo(f"{row.bucket}/{row.key}")
        typer.echo(f"    {row.kind}: {row.message}")
        typer.echo(
            f"    {row.size} bytes, ETag {row.etag}, tried {row.attempts} times,"
            f" first {row.first_at:%Y-%m-%d %H:%M:%S}, last {row.last_at:%Y-%m-%d %H:%M:%S} UTC"
        )
    typer.echo(f"{count} failures" if count != 1 else "1 failure")


@app.command(epilog="Example: fitsvault reconcile --prefix 2026/")
def reconcile(prefix: Annotated[str, typer.Option(help="Only keys that begin so.")] = "") -> None:
    """Compare the bucket with the index, and settle what no event told."""
    from functions.reconcile.handler import make_reconciler  # noqa: PLC0415 - brings astropy

    try:
        counts = make_reconciler(given_settings()).mend(prefix)
    except (FitsvaultError, DBAPIError) as error:
        fail(str(error))
    typer.echo(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    if counts["unsettled"]:
        raise typer.Exit(1)


@app.command(name="settings", epilog="Example: fitsvault settings")
def list_settings() -> None:
    """List every setting with its default and what it means."""
    typer.echo(settings_table(), nl=False)


def _send(uploads: list[Upload]) -> None:
    given = given_settings()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=errors,
    )
    refused = 0
    try:
        store = Store(given)
        with bar:
            task = bar.add_task("Uploading", total=sum(item.size for item in uploads))
            sent = run_uploads(store, given.bucket, uploads, lambda count: bar.advance(task, count))
            for item, problem in sent:
                if problem is not None:
                    refused += 1
                    bar.console.print(f"[red]not uploaded[/red] {escape(item.key)}: {escape(problem)}", soft_wrap=True)
    except FitsvaultError as error:
        fail(str(error))
    typer.echo(f"{len(uploads) - refused} of {len(uploads)} files uploaded to {given.bucket}")
    if refused:
        raise typer.Exit(1)
