"""``fitsvault doctor``: what is wrong with an archive, in plain words."""

import os
from collections.abc import Iterator

import typer

from shared.cli.application import ExitCode, app, given_settings
from shared.cli.examinations.database import examine_backups, examine_database, examine_replica, examine_work
from shared.cli.examinations.finding import Finding, Verdict, wrong
from shared.cli.examinations.jetstream import examine_jetstream
from shared.cli.examinations.origins import examine_origins
from shared.cli.examinations.queue import examine_queue
from shared.cli.examinations.store import examine_notification, examine_store
from shared.cli.examinations.surroundings import examine_clock, examine_room, examine_settings
from shared.cli.parts import absent_file, opened_index
from shared.cli.terminal import harmless
from shared.settings import Settings
from shared.store.client import Store

__all__ = ["doctor"]


@app.command(epilog="Example: fitsvault doctor")
def doctor() -> None:
    """Check settings, work folder, store, notification, queue, database, sweeps, backups and clock.

    Exit code 0: nothing is wrong, though there may be notes. 1: something is; its line says what to do.
    """
    settings = given_settings()
    verdicts = []
    for finding in _findings(settings):
        verdicts.append(finding.verdict)
        typer.echo(f"{finding.verdict:<6} {finding.part:<13} {harmless(finding.words)}")
    bad = verdicts.count(Verdict.WRONG)
    typer.echo(f"{bad} wrong, {verdicts.count(Verdict.NOTE)} to note" if bad else "nothing is wrong")
    if bad:
        raise typer.Exit(ExitCode.NOT_ALL)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield from examine_settings(settings, os.environ)
    yield from examine_room(settings)
    store = Store(settings, attempts=1)
    yield from examine_store(settings, store)
    yield from examine_notification(settings, store)
    yield from examine_origins(settings)
    yield from examine_queue(settings)
    yield from examine_jetstream(settings)
    path = absent_file(settings.effective_database_url)
    if path is None:
        with opened_index() as sessions:
            yield from examine_database(sessions)
            yield from examine_replica(settings)
            yield from examine_work(settings, sessions)
            yield from examine_clock(settings, store, sessions)
    else:
        yield wrong("database", f"no index at {path}: start the archive once, or `fitsvault restore` brings one back")
    yield from examine_backups(settings, store)
    store.s3.close()
