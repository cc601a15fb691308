"""`make bench`: how long from a PUT answered to a frame visible, beside the same work without any delivery.

The baseline does by one call in this process what the archive does by event, queue and another process: it settles the
object and asks the index. What the ratio shows is the price of delivery and of HTTP.
"""

import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.database import make_engine, make_session_factory, read
from shared.index.frames import find_object
from shared.ingest.service import Ingester
from shared.migrations import upgrade
from shared.simulator import simulate_frame
from shared.store.client import Store
from tests.archive import RunningArchive, running_archive

__all__ = ["main", "processor"]

_FRAMES = 100


def main() -> None:
    """Print one table."""
    with tempfile.TemporaryDirectory() as folder, running_archive(Path(folder) / "home") as archive:
        frames = [simulate_frame(OBJECT=f"bench {n}", shape=(1024, 1024)).data for n in range(_FRAMES)]
        direct = _direct(archive, Path(folder))
        for warm in range(5):
            _visible(archive, f"bench/warm-{warm}.fits", frames[0])
            direct(f"bench/warm-{warm}.fits", frames[0])
        by_event, by_call = [], []
        for number, data in enumerate(frames):
            by_event.append(_visible(archive, f"bench/event-{number}.fits", data))
            by_call.append(direct(f"bench/call-{number}.fits", data))
    size = len(frames[0]) / 2**20
    sys.stdout.write(
        f"PUT answered -> frame visible, {_FRAMES} frames of 1024 x 1024 pixels ({size:.1f} MiB), one after another\n"
        f"{processor()}, Python {platform.python_version()}, embedded SeaweedFS, SQLite\n\n"
        f"{'':34}{'median':>10}{'p95':>10}{'worst':>10}\n"
        + _row("archive: event, ingest, GET /frames/", by_event)
        + _row("baseline: settle() in this process", by_call)
        + f"{'ratio':34}{statistics.median(by_event) / statistics.median(by_call):>10.2f}"
        + f"{_p95(by_event) / _p95(by_call):>10.2f}\n"
    )


def _visible(archive: RunningArchive, key: str, data: bytes) -> float:
    archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=data)
    begin = time.perf_counter()
    name = key.rsplit("/", 1)[-1].removesuffix(".fits")
    while not archive.get("/frames/", basename=name)["count"]:
        if time.perf_counter() - begin > 60:
            raise TimeoutError(key)
        time.sleep(0.002)
    return time.perf_counter() - begin


def _direct(archive: RunningArchive, folder: Path) -> Callable[[str, bytes], float]:
    settings = archive.settings.model_copy(
        update={"bucket": "bench", "derived_bucket": "bench-derived", "work_dir": folder / "work"}
    )
    store = Store(settings)
    store.ensure_bucket("bench")
    store.ensure_bucket("bench-derived")
    engine = make_engine(f"sqlite:///{folder / 'bench.sqlite'}")
    upgrade(engine)
    sessions = make_session_factory(engine)
    ingester = Ingester(settings, store, sessions)

    def measure(key: str, data: bytes) -> float:
        store.write_bytes("bench", key, data, "application/fits")
        begin = time.perf_counter()
        ingester.settle("bench", key)
        with read(sessions) as session:
            assert find_object(session, "bench", key) is not None
        return time.perf_counter() - begin

    return measure


def _row(name: str, seconds: Sequence[float]) -> str:
    figures = (statistics.median(seconds), _p95(seconds), max(seconds))
    return f"{name:34}" + "".join(f"{1000 * figure:>7.0f} ms" for figure in figures) + "\n"


def _p95(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def processor() -> str:
    """Return what the machine calls its processor."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
