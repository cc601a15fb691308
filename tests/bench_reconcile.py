"""`make bench-reconcile KEYS=1000000`: how long a sweep of so many objects takes, and how much memory.

The baselines of the same run are a listing of the bucket by boto3 that does nothing with it, which every comparison
needs at least, and one HEAD for each row, which is how one would do it without a listing.
"""

import argparse
import hashlib
import http.client
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import local
from typing import Any
from urllib.parse import urlsplit

import boto3
from minio import Minio
from sqlalchemy import Engine, event, insert

from shared.database import make_engine, make_session_factory, utc_now
from shared.index.models import Frame
from shared.index.rows import frame_values
from shared.ingest.derived import REQUIRED
from shared.ingest.reconcile import Reconciler, Scope
from shared.ingest.service import Ingester
from shared.migrations import upgrade
from shared.settings import Settings, plain_settings
from shared.simulator import simulate_frame
from shared.store.client import Store
from shared.store.naming import derived_key
from tests.archive import REPOSITORY, RunningArchive, running_archive
from tests.bench import processor
from tests.index.factory import make_record

__all__ = ["main"]

_BODY = b"no FITS file at all"
_SITES = ("site", "site-north", "site-south", "site.old")
_NIGHT = 500
_HEADS = 2000
_DERIVED_SHARE = 10
_THREADS = 16


def main() -> None:
    """Fill store and index, sweep, and print one table."""
    options = _options()
    if options.child:
        _child(options.child, options.workers)
        return
    extra = {"FITSVAULT_STORE": options.store, "FITSVAULT_RECONCILE_SECONDS": "0", "FITSVAULT_LOG_LEVEL": "ERROR"}
    few = options.keys // _DERIVED_SHARE
    with tempfile.TemporaryDirectory() as folder, running_archive(Path(folder) / "home", extra) as archive:
        settings = _prepare(archive, Path(folder), "bench")
        begin = time.perf_counter()
        wrong = _fill(settings, options.keys, options.wrong)
        filled = time.perf_counter() - begin
        listing, heads, sweep, again = (
            _measure(settings, what, options.workers) for what in ("list", "head", "objects", "objects")
        )
        whole_settings = _prepare(archive, Path(folder), "bench-whole")
        _fill(whole_settings, few, options.wrong, derives=True)
        whole, whole_again = (_measure(whole_settings, "all", options.workers) for _ in range(2))
    out = sys.stdout.write
    out(
        f"{options.keys:,} objects in nights of {_NIGHT}, {wrong} of each kind wrong; {options.store}, SQLite, "
        f"{options.workers} worker(s); {processor()}, Python {platform.python_version()}; filled in {filled:.0f} s\n\n"
        f"{'':46}{'seconds':>9}{'keys/s':>9}{'peak RSS':>10}{'requests':>10}{'queries':>9}\n"
    )
    out(_row("baseline: listing alone, boto3", listing, options.keys))
    out(_row(f"baseline: a HEAD for each row, from {_HEADS}", heads, options.keys, factor=options.keys / _HEADS))
    out(_row("sweep of objects and rows, with mending", sweep, options.keys))
    out(_row("the same again: nothing to mend", again, options.keys))
    out(_row(f"{few:,} with derived objects: whole sweep", whole, few))
    out(_row("the same again: nothing to mend", whole_again, few))
    out(f"\nmended: {sweep['counts']}\nagain: {again['counts']}\nwhole: {whole['counts']}\n")
    out(f"whole again: {whole_again['counts']}\n")
    out(f"nothing to mend, to listing alone: {again['seconds'] / listing['seconds']:.2f} times as long\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=20_000, help="objects in the bucket")
    parser.add_argument("--wrong", type=int, default=300, help="discrepancies of each kind")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--store", choices=["seaweedfs", "minio"], default="seaweedfs")
    parser.add_argument("--child", choices=["list", "head", "objects", "all"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _prepare(archive: RunningArchive, folder: Path, name: str) -> Settings:
    changes = {
        "bucket": name,
        "derived_bucket": f"{name}-derived",
        "database_url": f"sqlite:///{folder / name}.sqlite",
        "work_dir": folder / "work",
        "orphan_seconds": 0,
    }
    settings = Settings.model_validate(archive.settings.model_dump() | changes)
    store = Store(settings)
    store.ensure_bucket(settings.bucket)
    store.ensure_bucket(settings.derived_bucket)
    upgrade(make_engine(settings.effective_database_url))
    return settings


def _fill(settings: Settings, count: int, wrong: int, *, derives: bool = False) -> int:
    """Make store and index agree, but for some objects of each kind; return how many those are.

    Frames are where something is to be mended, small texts elsewhere.
    """
    keys = [_key(number) for number in range(count)]
    wrong = min(wrong, count // 10)
    step = count // wrong
    unindexed, phantom, stale, missing = (set(islice(keys[offset::step], wrong)) for offset in range(4))
    frame = simulate_frame(shape=(16, 16)).data
    frames = unindexed | stale | (missing if derives else set())
    _put(settings, settings.bucket, ((key, frame if key in frames else _BODY) for key in keys if key not in phantom))
    rows = [(key, frame if key in frames - stale else _BODY) for key in keys if key not in unindexed]
    _insert(settings, rows)
    if derives:
        there = (_digest(settings, key) for key in keys if key not in missing and key not in unindexed)
        alone = (_digest(settings, f"alone {number}") for number in range(wrong))
        names = ((digest, name) for digest in (*there, *alone) for name in sorted(REQUIRED))
        _put(settings, settings.derived_bucket, ((derived_key(digest, name), b"derived") for digest, name in names))
    return wrong


def _digest(settings: Settings, key: str) -> str:
    name = hashlib.sha256(f"{settings.bucket}/{key}".encode()).hexdigest()
    return f"{name}/{name[:16]}"


def _key(number: int) -> str:
    night = number // _NIGHT
    return f"{_SITES[night % len(_SITES)]}/{2020 + night // 366}-{night % 366:03}/frame-{number % _NIGHT:04}.fits"


def _put(settings: Settings, bucket: str, objects: Iterable[tuple[str, bytes]]) -> None:
    """Upload by links, which are signed five times as fast as boto3 uploads."""
    address, secret = urlsplit(str(settings.s3_endpoint_url)).netloc, settings.s3_secret_key
    assert secret is not None
    signer = Minio(
        address,
        access_key=settings.s3_access_key,
        secret_key=secret.get_secret_value(),
        secure=False,
        region=settings.s3_region,
    )
    mine = local()

    def put(some: Sequence[tuple[str, bytes]]) -> None:
        if not hasattr(mine, "connection"):
            mine.connection = http.client.HTTPConnection(address, timeout=60)
        for key, data in some:
            link = urlsplit(signer.presigned_put_object(bucket, key))
            mine.connection.request("PUT", f"{link.path}?{link.query}", data)
            answer = mine.connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status

    iterator = iter(objects)
    batches = iter(lambda: list(islice(iterator, 200)), [])
    with ThreadPoolExecutor(_THREADS) as pool:
        for window in iter(lambda: list(islice(batches, 4 * _THREADS)), []):
            list(pool.map(put, window))


def _insert(settings: Settings, rows: Sequence[tuple[str, bytes]]) -> None:
    now = utc_now()
    sums = {data: hashlib.md5(data, usedforsecurity=False).hexdigest() for _, data in rows}
    template = frame_values(make_record(bucket=settings.bucket)) | {"ingested_at": now, "updated_at": now}
    engine = make_engine(settings.effective_database_url)
    iterator = iter(rows)
    for some in iter(lambda: list(islice(iterator, 5000)), []):
        values = [
            template
            | {"key": key, "etag": sums[data], "size": len(data), "digest": _digest(settings, key)}
            | {"basename": key.rsplit("/", 1)[-1].removesuffix(".fits"), "filename": key.rsplit("/", 1)[-1]}
            for key, data in some
        ]
        with engine.execution_options(fitsvault_write=True).begin() as connection:
            connection.execute(insert(Frame), values)
    engine.dispose()


def _measure(settings: Settings, what: str, workers: int) -> dict[str, Any]:
    """Do it in a process of its own, whose memory is its own."""
    own = {f"FITSVAULT_{name.upper()}": value for name, value in plain_settings(settings).items()}
    command = [sys.executable, "-m", "tests.bench_reconcile", "--child", what, "--workers", str(workers)]
    done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | own, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _child(what: str, workers: int) -> None:
    settings = Settings()
    counted: Counter[str] = Counter()
    event.listen(Engine, "before_cursor_execute", lambda *_: counted.update(["queries"]))
    counts: dict[str, int] = {}
    if what in ("list", "head"):
        client = _plain_client(settings)
        keys = _first_keys(settings) if what == "head" else []
        begin = time.perf_counter()
        if what == "head":
            for key in keys:
                client.head_object(Bucket=settings.bucket, Key=key)
            counted["requests"] = len(keys)
        else:
            for _ in client.get_paginator("list_objects_v2").paginate(Bucket=settings.bucket):
                counted["requests"] += 1
    else:
        store, sessions = Store(settings), make_session_factory(make_engine(settings.effective_database_url))
        store.s3.meta.events.register("before-send.s3", lambda **_: counted.update(["requests"]))
        reconciler = Reconciler(settings, store, sessions, Ingester(settings, store, sessions))
        begin = time.perf_counter()
        scope = Scope.ALL if what == "all" else Scope.OBJECTS
        counts = dict(reconciler.sweep(scope=scope, workers=workers).counts)
    seconds = time.perf_counter() - begin
    memory = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    json.dump({"seconds": seconds, "kB": int(memory.split()[1]), "counts": counts, **counted}, sys.stdout)


def _plain_client(settings: Settings) -> Any:
    secret = settings.s3_secret_key
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
    )


def _first_keys(settings: Settings) -> list[str]:
    return [found.key for found in islice(Store(settings).walk(settings.bucket), _HEADS)]


def _row(name: str, measured: dict[str, Any], keys: int, factor: float = 1.0) -> str:
    seconds = measured["seconds"] * factor
    return (
        f"{name:46}{seconds:>9.1f}{keys / seconds:>9,.0f}{measured['kB'] / 1024:>7.0f} MB"
        f"{measured.get('requests', 0) * factor:>10,.0f}{measured.get('queries', 0):>9,}\n"
    )


if __name__ == "__main__":
    main()
