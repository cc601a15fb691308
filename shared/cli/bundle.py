"""``fitsvault bundle``: many frames as one zip, built in the bucket and fetched."""

import json
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.cli.application import ExitCode, app, fail
from shared.cli.fetching import Fetcher, FetchState, Wanted
from shared.cli.filters import Words
from shared.cli.logins import Token, Url, connected
from shared.cli.names import safe_name
from shared.cli.query import ANY_WORDS, Every, Limit, words_of
from shared.cli.remote import Remote, patient_client
from shared.cli.terminal import byte_bar, say
from shared.errors import RemoteError

__all__ = ["bundle"]

_FIRST_LOOK, _LONGEST_PAUSE = 0.25, 2.0
_SETTLED = ("ready", "failed")


@app.command(
    context_settings=ANY_WORDS,
    options_metavar="[OPTIONS] [ID|NAME=value]...",
    epilog="Example: fitsvault bundle --night 2026-11-21 FILTER=V --related · fitsvault bundle 12 15 --output m51.zip",
)
def bundle(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option(help="File, or folder for it.")] = Path(),
    limit: Limit = None,
    related: Annotated[bool, typer.Option("--related", help="Also the calibrations that the headers name.")] = False,
    uncompress: Annotated[bool, typer.Option("--uncompress", help="Unpack what is tile-compressed.")] = False,
    every: Every = False,
    known: Annotated[str | None, typer.Option("--bundle", metavar="ID", help="One that was ordered before.")] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Order it, and print what it is as JSON.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that differs.")] = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Have frames put into one zip, by id or by the filters of `fitsvault query`, and fetch it. Its CRC-32 is verified.

    Run again on the same day, or with --bundle, it goes on: nothing is built twice, and a broken file is fetched from
    where it broke off. Exit code 1: frames were left out, or there is no file.
    """
    words = words_of(ctx)
    if bool(words.ids) + bool(words.filters) + every + (known is not None) != 1:
        fail("give either ids, or filters, or --all, or --bundle", ExitCode.USAGE)
    with connected(url, token) as remote:
        if known is not None:
            found = remote.bundle(known)
        else:
            found = remote.order_bundle(_order(words, limit) | {"related": related, "uncompress": uncompress})
        if no_wait:
            typer.echo(json.dumps(found, indent=1))
            return
        ready = _built(remote, found)
        target = output / safe_name(ready["filename"], "bundle.zip") if output.is_dir() else output
        state = _fetch(remote, ready, target, overwrite=overwrite)
    left_out = ready["left_out"]
    for frame in left_out:
        say(f"left out {frame.get('id')} {frame.get('filename')}: {frame.get('reason')}", style="yellow")
    typer.echo(f"{state} {target}: {ready['frames'] - len(left_out)} frames, {len(left_out)} left out")
    if left_out:
        raise typer.Exit(ExitCode.NOT_ALL)


def _order(words: Words, limit: int | None) -> dict[str, object]:
    if words.ids:
        return {"frame_ids": list(words.ids[:limit])}
    return {"query": words.filters | ({"limit": str(limit)} if limit is not None else {})}


def _built(remote: Remote, found: dict[str, Any]) -> dict[str, Any]:
    """Wait until the bundle is built; one that cannot be ends the command."""
    pause = _FIRST_LOOK
    with byte_bar() as bar:
        task = bar.add_task("Building", total=found["bytes"])
        while found["state"] not in _SETTLED:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            found = remote.bundle(found["id"])
            bar.update(task, total=found["bytes"], completed=found["bytes_done"])
    if found["state"] == "failed":
        raise RemoteError(f"this bundle could not be built: {found.get('detail')}")
    return found


def _fetch(remote: Remote, ready: dict[str, Any], target: Path, *, overwrite: bool) -> FetchState:
    wanted = Wanted(0, target, ready["bytes_done"], crc32=ready.get("crc32"))
    with patient_client(remote.url) as store, byte_bar() as bar:
        task = bar.add_task("Downloading", total=wanted.size)
        fetcher = Fetcher(
            lambda _: _link(remote, ready["id"]),
            store,
            overwrite=overwrite,
            progress=lambda count: bar.advance(task, count),
            stop=threading.Event(),
        )
        done = fetcher.fetch(wanted)
    if done.problem is not None:
        is_taken = target.exists() and not overwrite
        other = ", --output FILE gives this bundle another name" if is_taken else ""
        fail(f"not downloaded {target}: {done.problem}{other}; go on with `fitsvault bundle --bundle {ready['id']}`")
    return done.state


def _link(remote: Remote, bundle_id: str) -> dict[str, Any]:
    found = remote.bundle(bundle_id)
    if not isinstance(found.get("url"), str):
        raise RemoteError("this bundle is no longer there; order it again")
    return {"url": found["url"], "size": found["bytes_done"], "crc32": found.get("crc32")}
