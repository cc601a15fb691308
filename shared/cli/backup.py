"""Commands that take accounts from one archive to another."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from shared.accounts.transfer import export_accounts, import_accounts, parse_accounts
from shared.cli.application import ExitCode, app, fail
from shared.cli.parts import opened_index
from shared.database import read, write
from shared.files import write_private

__all__ = ["export_command", "import_command"]


@app.command("export", epilog="Example: fitsvault export accounts.jsonl")
def export_command(
    file: Annotated[Path, typer.Argument(help="Where to; - is standard output.", show_default=False)],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Write all accounts as JSON lines: hashes of passwords and tokens, which no one else should read.

    All else that the archive knows can be made again from the bucket.
    """
    with opened_index() as sessions, read(sessions) as session:
        lines = list(export_accounts(session))
    if str(file) == "-":
        typer.echo("".join(lines), nl=False)
        return
    if file.exists() and not overwrite:
        fail(f"{file} is there already; use --overwrite", ExitCode.USAGE)
    write_private(file, "".join(lines))
    typer.echo(f"{len(lines)} accounts in {file}")


@app.command("import", epilog="Example: fitsvault import accounts.jsonl")
def import_command(
    file: Annotated[Path, typer.Argument(help="What `export` wrote; - is standard input.", show_default=False)],
) -> None:
    """Make the accounts and tokens that are missing here; those that are there stay as they are."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text")
    lines = parse_accounts(text.split("\n"))
    with opened_index() as sessions, write(sessions) as session:
        done = import_accounts(session, lines)
    typer.echo(f"{done.accounts} accounts and {done.tokens} tokens made, {len(done.kept)} accounts were there")
