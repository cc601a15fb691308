"""`make bench-bundles`: how quickly many frames come as one zip, beside the same bytes by plain GETs from the store.

Of each stock of frames, in one run: plain GETs by presigned links (the limit), the virtual zip of an API server, a
bundle built in the bucket by the bundle function, and two usual ways, both reading from the same store in this process
and sending to nobody: Python's zipfile, and zipstream-ng. Servers are processes of their own, whose largest memory is
read from /proc.
"""

import argparse
import datetime as dt
import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from zipstream import ZipStream

from localstack.allocator import ALLOCATOR
from shared.accounts.account import Role
from shared.accounts.service import create_user
from shared.accounts.tokens import issue_token
from shared.bundle.assembly import state_of
from shared.database import make_engine, make_session_factory, read, write
from shared.index.bundles import BundleFrame, bundle_of_ids
from shared.index.frames import put_frame
from shared.migrations import upgrade
from shared.settings import Settings, plain_settings
from shared.store.client import Store
from tests.archive import REPOSITORY, running_archive, wait_until
from tests.bench import processor
from tests.index.factory import make_record

__all__ = ["main"]

STOCKS = {"20 x 8 MB": (20, 8_000_000), "200 x 2 MB": (200, 2_000_000), "10 x 200 MB": (10, 200_000_000)}
_WAYS = ("plain GETs", "virtual", "built", "zipfile", "zipstream-ng")
_LINK_LIFE = dt.timedelta(hours=1)
_BUILD = """
import json, sys, time
from functions.bundle.handler import handle
from shared.bundle.calling import BundleCaller
from shared.bundle.factory import make_bundle_worker
from shared.settings import Settings

class Clock:
    def get_remaining_time_in_millis(self):
        return 900_000

settings = Settings(_env_file=None)
worker = make_bundle_worker(settings)
begin = time.perf_counter()
handle({}, Clock(), worker, BundleCaller(settings))
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([time.perf_counter() - begin, int(peak) * 1024]))
"""


@dataclass
class Figures:
    """MB/s by way, and what else is told of a stock."""

    name: str
    rates: dict[str, list[float]] = field(default_factory=dict)
    passed: int = 0
    memory: dict[str, int] = field(default_factory=dict)

    def add(self, way: str, size: int, seconds: float) -> None:
        """Note a measurement."""
        self.rates.setdefault(way, []).append(size / seconds / 1e6)

    def best(self, way: str) -> float:
        """Return the quickest of a way: what disturbs makes only slower."""
        return max(self.rates[way])


class Bench:
    """A store, an index of its own with rows of the stock, and an API server."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.store = Store(settings)
        for bucket in (settings.bucket, settings.derived_bucket):
            self.store.ensure_bucket(bucket)
        engine = make_engine(settings.effective_database_url)
        upgrade(engine)
        self.sessions = make_session_factory(engine)
        with write(self.sessions) as session:
            self.token = issue_token(session, create_user(session, "ada", "secret words", role=Role.USER), "bench")

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be of this archive."""
        given = {f"FITSVAULT_{name.upper()}": value for name, value in plain_settings(self.settings).items()}
        return {**given, "PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}

    def stock(self, prefix: str, count: int, size: int) -> list[BundleFrame]:
        """Put frames of random bytes, object and row."""
        ids = []
        for number in range(count):
            data, key = os.urandom(size), f"{prefix}/{number:04}.fits"
            self.store.write_bytes(self.settings.bucket, key, data, "application/fits")
            etag = self.store.head(self.settings.bucket, key).etag
            sums = {"crc32": zlib.crc32(data), "sha256": hashlib.sha256(data).hexdigest()}
            row = make_record(bucket=self.settings.bucket, key=key, etag=etag, size=size, object_name=prefix, **sums)
            with write(self.sessions) as session:
                ids.append(put_frame(session, row))
        with read(self.sessions) as session:
            return list(bundle_of_ids(session, ids))

    @contextmanager
    def api(self) -> Iterator[tuple[str, int]]:
        """Serve the API in a process of its own; yield its address and process id."""
        port = 20000 + os.getpid() % 20000
        environment = ALLOCATOR | self.environment | {"FITSVAULT_PORT": str(port), "FITSVAULT_HOST": "127.0.0.1"}
        command = [sys.executable, "-m", "localstack.serve", "api"]
        with (self.folder / "api.log").open("w") as log:
            process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until("the API answers", lambda: _answers(f"{url}/health/"))
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(30)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description="Measure bundles.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; the best counts")
    parser.add_argument("--only", choices=STOCKS, help="one stock alone")
    given = parser.parse_args()
    sys.stdout.write(_head())
    with tempfile.TemporaryDirectory() as text, running_archive(Path(text) / "home") as archive:
        folder = Path(text)
        changes = {"bucket": "bench", "derived_bucket": "bench-derived", "home": folder, "database_url": None}
        bench = Bench(archive.settings.model_copy(update=changes), folder)
        for name, (count, size) in STOCKS.items():
            if given.only in (None, name):
                sys.stdout.write(_row(_measure(bench, name, count, size, given.rounds)))
                sys.stdout.flush()


def _measure(bench: Bench, name: str, count: int, size: int, rounds: int) -> Figures:
    figures = Figures(name)
    prefix = re.sub(r"\W+", "-", name)
    frames = bench.stock(prefix, count, size)
    whole = count * size
    links = [bench.store.presign_get(frame.key, bucket=frame.bucket, expires=_LINK_LIFE) for frame in frames]
    ways: dict[str, Callable[[], float]] = {
        "plain GETs": lambda: _curl(links),
        "zipfile": lambda: _timed(lambda: _by_zipfile(bench.store, frames)),
        "zipstream-ng": lambda: _timed(lambda: _by_zipstream(bench.store, frames)),
    }
    for _ in range(rounds):
        for way, run in ways.items():
            figures.add(way, whole, run())
        with bench.api() as (url, process):
            token = ["-H", f"Authorization: Token {bench.token}"]
            zipped = f"{url}/frames/zip/?OBJECT={prefix}"
            _curl([f"{zipped}&limit=1"], *token)  # the first of a server imports boto3
            figures.add("virtual", whole, _curl([zipped], *token))
            figures.memory["API"] = max(figures.memory.get("API", 0), _peak(process))
            _build(bench, figures, url, [frame.id for frame in frames], whole)
    return figures


def _build(bench: Bench, figures: Figures, url: str, ids: list[int], whole: int) -> None:
    headers = {"Authorization": f"Token {bench.token}"}
    order = httpx.post(f"{url}/bundles/", json=ids, headers=headers, trust_env=False).raise_for_status().json()
    told = subprocess.run(
        [sys.executable, "-c", _BUILD], env=ALLOCATOR | bench.environment, capture_output=True, check=True
    )
    seconds, peak = json.loads(told.stdout.splitlines()[-1])
    done = httpx.get(f"{url}/{order['status_url']}", headers=headers, trust_env=False).json()
    assert done["state"] == "ready", done
    figures.add("built", whole, seconds)
    figures.passed = done["bytes_passed"]
    figures.memory["builder"] = max(figures.memory.get("builder", 0), peak)
    httpx.delete(f"{url}/{order['status_url']}", headers=headers, trust_env=False)
    key = done["id"]
    found = bench.store.walk_as_listed(bench.settings.derived_bucket, prefix=f"bundles/{key}/")
    bench.store.delete(bench.settings.derived_bucket, tuple(one.key for one in found))


def _curl(urls: Sequence[str], *options: str) -> float:
    """Fetch the URLs one after the other on one connection, to nowhere; return the seconds."""
    told = "".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in urls)
    command = ["curl", "--noproxy", "*", "-sS", "-f", *options, "-K", "-"]
    begin = time.perf_counter()
    subprocess.run(command, input=told, text=True, check=True)
    return time.perf_counter() - begin


def _by_zipfile(store: Store, frames: Sequence[BundleFrame]) -> None:
    with zipfile.ZipFile(_Nowhere(), "w") as archive:
        for frame in frames:
            with archive.open(zipfile.ZipInfo(frame.filename), "w", force_zip64=True) as entry:
                for chunk in store.stream(state_of(frame)):
                    entry.write(chunk)


def _by_zipstream(store: Store, frames: Sequence[BundleFrame]) -> None:
    stream = ZipStream()
    for frame in frames:
        stream.add(store.stream(state_of(frame)), frame.filename)
    for _chunk in stream:
        pass


class _Nowhere(io.RawIOBase):
    """Takes everything, as a client's connection would."""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return memoryview(data).nbytes  # type: ignore[arg-type]


def _timed(run: Callable[[], None]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _peak(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


def _head() -> str:
    return (
        f"{processor()}, Python {platform.python_version()}, embedded SeaweedFS; MB/s, the best of each\n"
        f"{'':14}{''.join(f'{way:>14}' for way in _WAYS)}{'virtual/plain':>15}{'passed/frame':>14}{'peak MB':>18}\n"
    )


def _row(one: Figures) -> str:
    return (
        f"{one.name:14}{''.join(f'{one.best(way):>14.0f}' for way in _WAYS)}"
        f"{one.best('virtual') / one.best('plain GETs'):>15.2f}{one.passed / STOCKS[one.name][0] / 1e6:>11.2f} MB"
        f"{one.memory['API'] / 1e6:>7.0f} API {one.memory['builder'] / 1e6:>3.0f} fn\n"
    )


if __name__ == "__main__":
    main()
