"""``fitsvault db``: the schema of the database, brought to this version or back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Engine

from shared.cli.application import ExitCode, app, fail
from shared.cli.parts import opened_index
from shared.migrations import downgrade, head_revision, upgrade
from shared.schema import REVISIONS, check_schema, current_revision

__all__ = ["db"]

db = typer.Typer(no_args_is_help=True, help="The database's schema: check, upgrade, downgrade.")
app.add_typer(db, name="db")


@db.command("check", epilog="Example: fitsvault db check")
def check() -> None:
    """Tell which schema the database has. Exit code 0: this version's, 1: another."""
    with _opened() as engine:
        typer.echo(f"schema {current_revision(engine) or 'missing'}, latest {head_revision()}")
        check_schema(engine)


@db.command("upgrade", epilog="Example: fitsvault db upgrade")
def upgrade_schema() -> None:
    """Bring the schema to this version, while others read and write. One that was stopped goes on where it was.

    `make run` and `make up` do so by themselves. Functions on Lambda work with their own schema only.
    """
    with _opened(makes=True) as engine:
        before = current_revision(engine)
        upgrade(engine)
        after = current_revision(engine)
        typer.echo(f"schema {after} already" if before == after else f"schema {after}, was {before or 'missing'}")


@db.command("downgrade", epilog="Example: fitsvault db downgrade 0007")
def downgrade_schema(
    revision: Annotated[str, typer.Argument(help="The schema of the version to go back to.", show_default=False)],
) -> None:
    """Bring the schema back to an earlier version, for the code of that time; what it has no place for is lost."""
    if revision not in REVISIONS:
        fail(f"no such schema: {revision} (there are {', '.join(REVISIONS)})", ExitCode.USAGE)
    with _opened() as engine:
        downgrade(engine, revision)
        typer.echo(f"schema {current_revision(engine)}")


@contextmanager
def _opened(*, makes: bool = False) -> Iterator[Engine]:
    with opened_index(makes=makes) as sessions:
        yield sessions.kw["bind"]
