"""``fitsvault wait``: until objects are indexed, for pipelines that need their frames before they go on."""

import time
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from shared.cli.application import ExitCode, app, fail
from shared.cli.parts import Parts, opened
from shared.cli.sources import parse_source
from shared.cli.terminal import harmless, say
from shared.database import read
from shared.errors import ObjectGoneError
from shared.index.arrivals import Arrival, find_arrivals

__all__ = ["wait"]

_POLL_SECONDS = 0.25


@app.command(epilog="Example: fitsvault wait night1/m51.fits night1/m52.fits --timeout 600")
def wait(
    keys: Annotated[list[str], typer.Argument(help="Keys of objects, there already or not yet.", show_default=False)],
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.", min=0)] = 300.0,
) -> None:
    """Wait until each object is indexed as it is now.

    Exit code 0: all are. 1: one cannot be indexed, and the reason is told. 3: one is not there yet, or has not been
    read yet, when the time is up.
    """
    with opened() as parts:
        pending = dict.fromkeys(_key(parts, key) for key in keys)
        failed = 0
        for key, arrival in _arrivals(parts, pending, time.monotonic() + timeout):
            if arrival.reason is None:
                typer.echo(f"indexed {harmless(key)}")
            else:
                failed += 1
                say(f"not indexed {key}: {arrival.reason}", style="red")
        for key in pending:
            say(f"not indexed yet {key}: {_why(parts, key)}", style="yellow")
    if failed:
        raise typer.Exit(ExitCode.NOT_ALL)
    if pending:
        raise typer.Exit(ExitCode.AWAY)


def _key(parts: Parts, given: str) -> str:
    source = parse_source(given)
    if source.bucket not in (None, parts.bucket):
        fail(f"{harmless(given)} is of another bucket than the archive's, which is {parts.bucket}", ExitCode.USAGE)
    return source.path


def _arrivals(parts: Parts, pending: dict[str, None], deadline: float) -> Iterator[tuple[str, Arrival]]:
    """Yield objects and what became of them, and take them from those that are waited for, until time is up."""
    while True:
        for key, arrival in _known(parts, pending).items():
            if arrival.etag is not None and arrival.etag == _etag(parts, key):
                del pending[key]
                yield key, arrival
        left = deadline - time.monotonic()
        if not pending or left <= 0:
            return
        time.sleep(min(_POLL_SECONDS, left))


def _known(parts: Parts, pending: Mapping[str, None]) -> dict[str, Arrival]:
    with read(parts.sessions) as session:
        return find_arrivals(session, parts.bucket, list(pending))


def _etag(parts: Parts, key: str) -> str | None:
    """Return the ETag of the object as it is now: what the index knows may be of an earlier one."""
    try:
        return parts.store.head(parts.bucket, key).etag
    except ObjectGoneError:
        return None


def _why(parts: Parts, key: str) -> str:
    if _etag(parts, key) is None:
        return "there is no such object"
    known = _known(parts, {key: None}).get(key)
    return known.reason if known is not None and known.reason is not None else "it has not been read"
