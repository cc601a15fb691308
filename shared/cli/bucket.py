"""Commands that put frames into the bucket, and the list of settings."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.application import ExitCode, app, errors, fail
from shared.cli.parts import check_store, opened_store
from shared.cli.terminal import byte_bar, harmless, say
from shared.settings import settings_table
from shared.uploads import Upload, clashing_keys, plan_uploads, run_uploads

__all__ = ["demo", "list_settings", "upload"]


@app.command(epilog="Example: fitsvault upload --prefix night1/ *.fits")
def upload(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with files.", show_default=False)],
    prefix: Annotated[str, typer.Option(help="What all keys begin with.")] = "",
) -> None:
    """Put FITS files into the bucket; a moment later they are in the archive."""
    planned = list(plan_uploads(paths, prefix))
    if clashes := clashing_keys(planned):
        fail(f"more than one file would become {harmless(clashes[0])}; give the folders, or use --prefix")
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
    with opened_store() as (given, store):
        check_store(store, given.bucket)
    with errors.status(f"Simulating the night of {date}…"):
        frames = [Upload.of_bytes(frame.key, frame.data) for frame in simulate_night(night=date, seed=seed)]
    _send(frames)


@app.command(name="settings", epilog="Example: fitsvault settings")
def list_settings() -> None:
    """List every setting with its default and what it means."""
    typer.echo(settings_table(), nl=False)


def _send(uploads: list[Upload]) -> None:
    refused = 0
    with opened_store() as (given, store):
        check_store(store, given.bucket)
        with byte_bar() as bar:
            task = bar.add_task("Uploading", total=sum(item.size for item in uploads))
            for item, problem in run_uploads(store, given.bucket, uploads, lambda count: bar.advance(task, count)):
                if problem is not None:
                    refused += 1
                    say(f"not uploaded {item.key}: {problem}", style="red")
    typer.echo(f"{len(uploads) - refused} of {len(uploads)} files uploaded to {given.bucket}")
    if refused:
        raise typer.Exit(ExitCode.NOT_ALL)
