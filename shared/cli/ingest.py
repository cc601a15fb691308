"""``fitsvault ingest``: into the bucket, and wait until the archive knows it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.application import ExitCode, app, fail
from shared.cli.parts import Parts, check_store, opened
from shared.cli.sources import Source, copied_key, parse_source
from shared.cli.terminal import byte_bar, count_bar, harmless, say
from shared.database import read
from shared.errors import ObjectGoneError, StoreError
from shared.index.arrivals import find_arrivals
from shared.parallel import in_parallel
from shared.store.model import ObjectState
from shared.uploads import clashing_keys, plan_uploads, submit

__all__ = ["ingest"]

_COPIES_AT_ONCE = 4
_NOTHING: dict[str, int] = {"indexed": 0, "unchanged": 0, "failed": 0}


@app.command(epilog="Example: fitsvault ingest --prefix night1/ /data/night1 · fitsvault ingest s3://incoming/2026/")
def ingest(
    sources: Annotated[
        list[str], typer.Argument(help="Files, folders, or s3://bucket/prefix of this store.", show_default=False)
    ],
    prefix: Annotated[str, typer.Option(help="What the keys of files and copies begin with.")] = "",
    wait: Annotated[bool, typer.Option(help="Wait until the archive knows what was sent.")] = True,
    patience: Annotated[
        float, typer.Option(help="Seconds without news after which the rest is indexed from here.", min=0)
    ] = 10.0,
) -> None:
    """Put files into the bucket unless they are there, wait until they are indexed, and tell what became of them.

    Stopped and run again it goes on: what is there with the same bytes is not sent again. Of the archive's own bucket
    (s3://frames/…) all objects are looked at again; objects of another bucket are copied inside the store.
    """
    given = [parse_source(source) for source in sources]
    with opened() as parts:
        check_store(parts.store, parts.bucket)
        counts = Counter(_NOTHING)
        own = [source for source in given if source.bucket == parts.bucket]
        expected, told = _send_files(parts, [Path(s.path) for s in given if s.bucket is None], prefix)
        counts += told
        for source in given:
            if source.bucket not in (None, parts.bucket):
                copied, told = _copy_objects(parts, source, prefix)
                expected |= copied
                counts += told
        counts += _wait(parts, expected, patience) if wait else Counter(sent=len(expected))
        for source in own:
            counts += _settle(parts, source.path)
    typer.echo(", ".join(f"{counts[word]} {word}" for word in [*_NOTHING, *(("sent",) if not wait else ())]))
    if counts["failed"]:
        raise typer.Exit(ExitCode.NOT_ALL)


def _send_files(parts: Parts, paths: list[Path], prefix: str) -> tuple[dict[str, str], Counter[str]]:
    """Send local files; return what the index must come to know, and what it knows already or never will."""
    if not paths:
        return {}, Counter()
    planned = list(plan_uploads(paths, prefix))
    if clashes := clashing_keys(planned):
        fail(f"more than one file would become {harmless(clashes[0])}; give the folders, or use --prefix")

    def indexed_sha256(key: str, etag: str) -> str | None:
        with read(parts.sessions) as session:
            known = find_arrivals(session, parts.bucket, [key]).get(key)
        return known.sha256 if known is not None and known.etag == etag else None

    expected: dict[str, str] = {}
    counts: Counter[str] = Counter()
    with byte_bar() as bar:
        task = bar.add_task("Uploading", total=sum(item.size for item in planned))
        for done in submit(
            parts.store,
            parts.bucket,
            planned,
            lambda count: bar.advance(task, count),
            indexed_sha256=indexed_sha256,
        ):
            key = done.upload.key
            if done.etag is None:
                counts["failed"] += 1
                say(f"not uploaded {key}: {done.problem}", style="red")
            elif done.was_there and _is_frame(parts, key, done.etag):
                counts["unchanged"] += 1
            else:
                expected[key] = done.etag
    return expected, counts


def _is_frame(parts: Parts, key: str, etag: str) -> bool:
    with read(parts.sessions) as session:
        known = find_arrivals(session, parts.bucket, [key]).get(key)
    return known is not None and known.etag == etag and known.sha256 is not None


def _copy_objects(parts: Parts, source: Source, prefix: str) -> tuple[dict[str, str], Counter[str]]:
    """Copy objects of another bucket inside the store, those that are not there."""
    expected: dict[str, str] = {}
    counts: Counter[str] = Counter()

    def copy(found: ObjectState) -> tuple[str, str, bool] | str:
        key = copied_key(found.key, source.path, prefix)
        try:
            there = _head(parts, key)
            is_there = there is not None and _is_copy(there, found)
            if not is_there:
                parts.store.copy(found, parts.bucket, key)
                there = parts.store.head(parts.bucket, key)
        except StoreError as error:
            return str(error)
        return key, there.etag if there is not None else "", is_there

    with count_bar() as bar:
        task = bar.add_task("Copying", total=None)
        for found, done in in_parallel(copy, _objects(parts, source), _COPIES_AT_ONCE):
            bar.advance(task)
            if isinstance(done, str):
                counts["failed"] += 1
                say(f"not copied {found.key}: {done}", style="red")
            elif done[2] and _is_frame(parts, done[0], done[1]):
                counts["unchanged"] += 1
            else:
                expected[done[0]] = done[1]
    return expected, counts


def _head(parts: Parts, key: str) -> ObjectState | None:
    try:
        return parts.store.head(parts.bucket, key)
    except ObjectGoneError:
        return None


def _is_copy(there: ObjectState, source: ObjectState) -> bool:
    """Tell whether an object is a copy; one written in parts keeps no common ETag, and is told by its time."""
    if there.size != source.size:
        return False
    in_parts = "-" in source.etag or "-" in there.etag
    return there.etag == source.etag or (in_parts and there.last_modified >= source.last_modified)


def _objects(parts: Parts, source: Source) -> Iterator[ObjectState]:
    walk = parts.store.walk(source.bucket or parts.bucket, prefix=source.path)
    return (found for found in walk if not (found.size == 0 and found.key.endswith("/")))


def _wait(parts: Parts, expected: dict[str, str], patience: float) -> Counter[str]:
    if not expected:
        return Counter()
    from shared.ingest.arrivals import await_arrivals  # noqa: PLC0415 - brings astropy

    arrivals = await_arrivals(parts.ingester(), parts.sessions, parts.bucket, expected, patience=patience)
    return _count(((a.key, a.outcome.value, a.reason) for a in arrivals), "Indexing", len(expected), "indexed")


def _settle(parts: Parts, prefix: str) -> Counter[str]:
    from shared.ingest.arrivals import settle_keys  # noqa: PLC0415 - brings astropy

    keys = (found.key for found in parts.store.walk(parts.bucket, prefix=prefix))
    arrivals = settle_keys(parts.ingester(), parts.sessions, parts.bucket, keys)
    return _count(((a.key, a.outcome.value, a.reason) for a in arrivals), "Indexing", None, "unchanged")


def _count(
    arrivals: Iterable[tuple[str, str, str | None]], what: str, total: int | None, unchanged: str
) -> Counter[str]:
    """Count outcomes and tell reasons; ``unchanged`` is what an object counts as that was indexed already."""
    counts: Counter[str] = Counter()
    with count_bar() as bar:
        task = bar.add_task(what, total=total)
        for key, outcome, reason in arrivals:
            bar.advance(task)
            counts[unchanged if outcome == "unchanged" else outcome] += 1
            if reason is not None:
                say(f"not indexed {key}: {reason}", style="red")
    return counts
