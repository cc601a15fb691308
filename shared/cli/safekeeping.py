"""Commands that keep the database safe: backup and restore."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from sqlalchemy import Engine

from shared.backup.format import Header
from shared.backup.keeping import backups, drop_backups, keep_backup, opened_backup
from shared.backup.restoring import filled_tables, read_header, restore_backup
from shared.backup.writing import write_backup
from shared.cli.application import ExitCode, app, fail, given_settings
from shared.cli.parts import opened, opened_index, opened_store
from shared.database import read, utc_now
from shared.files import private_file
from shared.migrations import upgrade
from shared.schema import REVISIONS, check_schema, current_revision

__all__ = ["backup", "restore"]

_GAP = 1_000_000


@app.command(epilog="Example: fitsvault backup --keep 14 · fitsvault backup --list · fitsvault backup --file index.gz")
def backup(
    file: Annotated[Path | None, typer.Option(help="Write this file instead, for its owner alone.")] = None,
    keep: Annotated[int | None, typer.Option(help="Delete all but so many of the latest backups.", min=1)] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the backups there are.")] = False,
) -> None:
    """Write all that the database alone knows to the derived bucket, while others read and write.

    With the bucket of the frames and one backup the archive comes back: `fitsvault restore`. A backup holds the hashes
    of passwords and tokens, and is as secret as the database.
    """
    if file is not None and (keep is not None or listed):
        fail("--file goes with neither --keep nor --list, which are about the bucket", ExitCode.USAGE)
    if listed:
        _list()
    elif file is not None:
        _write_file(file)
    else:
        _write_object(keep)


@app.command(epilog="Example: fitsvault restore · fitsvault restore fitsvault-20261125T030000Z.jsonl.gz --force")
def restore(
    name: Annotated[str | None, typer.Argument(help="A backup of `backup --list`. Without it: the latest.")] = None,
    file: Annotated[Path | None, typer.Option(help="Read this file instead.", exists=True, dir_okay=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what the database holds.")] = False,
    id_gap: Annotated[
        int, typer.Option(help="Ids to leave out: frames that came after the backup had them.", min=0)
    ] = _GAP,
) -> None:
    """Bring the database back from a backup: all of it, or nothing. Stop API and ingest before.

    The database is to be empty, or to have no tables yet; --force replaces what is there. Objects that came or went
    after the backup are settled by the next sweep, or by `fitsvault reconcile`.
    """
    if file is not None and name is not None:
        fail("give the name of a backup or --file, not both", ExitCode.USAGE)
    with _opened_backup(name, file) as (told, source), opened_index(makes=True) as sessions:
        engine: Engine = sessions.kw["bind"]
        header = read_header(source)
        bucket = given_settings().bucket
        if header.bucket != bucket:
            fail(f"the backup is of the bucket {header.bucket}, FITSVAULT_BUCKET is {bucket}", ExitCode.USAGE)
        _prepare(engine, header)
        with read(sessions) as session:
            filled = filled_tables(session)
        if filled and not force:
            fail(f"the database has rows already, in {', '.join(filled)}; --force replaces them", ExitCode.USAGE)
        rows = restore_backup(sessions, source, force=force, gap=id_gap)
        upgrade(engine)
    typer.echo(f"restored {told} of {header.made_at:%Y-%m-%d %H:%M:%S} UTC: {_counted(rows)}")
    typer.echo("`fitsvault reconcile` settles now what came or went since; a running archive does so by itself")


def _list() -> None:
    with opened_store() as (settings, store):
        for state in backups(settings, store):
            typer.echo(
                f"{state.key.rpartition('/')[2]}  {state.size} bytes  {state.last_modified:%Y-%m-%d %H:%M:%S} UTC"
            )


def _write_file(file: Path) -> None:
    if file.exists():
        fail(f"{file} is there already", ExitCode.USAGE)
    with opened_index() as sessions:
        header = Header(_schema(sessions.kw["bind"]), utc_now(), given_settings().bucket)
        with private_file(file) as target:
            rows = write_backup(sessions, target, header)
    typer.echo(f"{file}: {_counted(rows)}")


def _write_object(keep: int | None) -> None:
    with opened() as parts:
        schema = _schema(parts.sessions.kw["bind"])
        kept = keep_backup(parts.settings, parts.store, parts.sessions, schema)
        typer.echo(f"{kept.key}, {kept.size} bytes: {_counted(kept.rows)}")
        if keep is not None:
            for key in drop_backups(parts.settings, parts.store, keep):
                typer.echo(f"deleted {key}")


def _schema(engine: Engine) -> str:
    check_schema(engine)
    return REVISIONS[-1]


@contextmanager
def _opened_backup(name: str | None, file: Path | None) -> Iterator[tuple[str, BinaryIO]]:
    if file is not None:
        with file.open("rb") as source:
            yield str(file), source
        return
    with opened_store() as (settings, store), opened_backup(settings, store, name) as found:
        yield found


def _prepare(engine: Engine, header: Header) -> None:
    """Give a database without tables those of the backup's time; any other must have them."""
    if header.schema not in REVISIONS:
        fail(f"the backup has schema {header.schema}, which this version does not know: use the one that made it")
    there = current_revision(engine)
    if there is None:
        upgrade(engine, header.schema)
    elif there != header.schema:
        fail(f"the database has schema {there}, the backup {header.schema}: give a database without tables")


def _counted(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in rows.items() if count) or "no rows"
