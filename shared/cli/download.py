"""Commands that fetch frames from a remote archive, and delete them there."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.cli.application import ExitCode, app, fail
from shared.cli.fetching import Fetcher, FetchState, Wanted
from shared.cli.filters import Words
from shared.cli.logins import Token, Url, connected
from shared.cli.names import Placer
from shared.cli.query import ANY_WORDS, Every, Limit, words_of
from shared.cli.remote import Remote, patient_client
from shared.cli.terminal import byte_bar, harmless, say
from shared.errors import RemoteError
from shared.parallel import in_parallel

__all__ = ["delete", "download"]

_NEEDED: dict[str, type] = {"id": int, "filename": str, "key": str, "size": int, "sha256": str}


@app.command(
    context_settings=ANY_WORDS,
    options_metavar="[OPTIONS] [ID|NAME=value]...",
    epilog='Example: fitsvault download 12 15 · fitsvault download --night 2026-11-21 OBJECT="M 51" --output m51',
)
def download(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option(help="Folder for the files.")] = Path(),
    workers: Annotated[int, typer.Option(help="Frames fetched at once.", min=1, max=32)] = 4,
    limit: Limit = None,
    tree: Annotated[bool, typer.Option("--tree", help="Keep the folders of the objects' keys.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that differ.")] = False,
    every: Every = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Fetch frames by id, or by the filters of `fitsvault query`. Checksums are verified.

    Run again it goes on: whole files are not fetched again, and broken ones from where they broke off.
    """
    words = words_of(ctx)
    chooses = bool(words.ids) + bool(words.filters) + every
    if chooses != 1:
        fail("give either ids, or filters, or --all", ExitCode.USAGE)
    with connected(url, token) as remote:
        wanted = list(_wanted(remote, words, limit, output, Placer(tree=tree)))
        counts = _fetch(remote, wanted, workers=workers, overwrite=overwrite)
    typer.echo(", ".join(f"{counts[state]} {state}" for state in FetchState))
    if counts[FetchState.FAILED]:
        raise typer.Exit(ExitCode.NOT_ALL)


@app.command(epilog="Example: fitsvault delete 12 15 --yes")
def delete(
    ids: Annotated[list[int], typer.Argument(help="Ids of frames.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Delete frames: their objects in the bucket, and all that was made of them. Needs a staff account."""
    with connected(url, token) as remote:
        chosen = dict.fromkeys(ids)
        if not yes:
            _confirm([remote.frame(number) for number in chosen])
        deleted = 0
        for number in chosen:
            try:
                remote.delete(number)
            except RemoteError as error:
                if len(chosen) == 1:
                    raise
                say(f"not deleted {number}: {error}", style="red")
            else:
                deleted += 1
    typer.echo(f"{deleted} deleted")
    if deleted < len(chosen):
        raise typer.Exit(ExitCode.NOT_ALL)


def _confirm(frames: list[dict[str, Any]]) -> None:
    if not sys.stdin.isatty():
        fail("no terminal to ask whether to delete: use --yes", ExitCode.USAGE)
    for frame in frames:
        say(f"{frame.get('id')}  {frame.get('key')}  {frame.get('DATE_OBS')}")
    typer.confirm(f"Delete {len(frames)} frame{'s' * (len(frames) != 1)} for good?", abort=True, err=True)


def _wanted(remote: Remote, words: Words, limit: int | None, folder: Path, placer: Placer) -> Iterator[Wanted]:
    frames = (
        (remote.frame(number) for number in words.ids[:limit]) if words.ids else remote.frames(words.filters, limit)
    )
    seen = set()
    for frame in frames:
        for name, kind in _NEEDED.items():
            if not isinstance(frame.get(name), kind):
                raise RemoteError(f"this archive does not tell {name!r} of its frames; it is not a fitsvault")
        if frame["id"] not in seen:
            seen.add(frame["id"])
            place = placer.place(frame["id"], frame["filename"], frame["key"])
            yield Wanted(frame["id"], folder / place, frame["size"], frame["sha256"])


def _fetch(remote: Remote, wanted: list[Wanted], *, workers: int, overwrite: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    stop = threading.Event()
    with patient_client(remote.url) as store, byte_bar() as bar:
        task = bar.add_task("Downloading", total=sum(item.size for item in wanted))
        fetcher = Fetcher(
            lambda item: remote.link(item.id),
            store,
            overwrite=overwrite,
            progress=lambda count: bar.advance(task, count),
            stop=stop,
        )
        for item, done in in_parallel(fetcher.fetch, wanted, workers, stop=stop):
            counts[done.state] += 1
            if done.problem is not None:
                say(f"not downloaded {item.id} {harmless(str(item.target))}: {done.problem}", style="red")
    return counts
