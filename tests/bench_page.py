"""`make bench-page`: how long the search page takes in a browser, by Chromium's own timings.

An archive on an index of many frames, and the same archive on one of few as baseline, one after the other in one run.
Each page is opened by somebody who is logged in, with an empty cache each time; the frames on it have previews in the
store. The index is the population of `make bench-index`.
"""

import argparse
import io
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, StorageState
from sqlalchemy import select

from shared.database import make_engine, make_session_factory, read
from shared.index.models import Frame
from shared.store.naming import PREVIEW_SMALL, derived_key
from tests.archive import RunningArchive, running_archive
from tests.bench_index.machine import load_average, machine
from tests.bench_index.server import Databases, open_databases
from tests.bench_index.stock import prepare
from tests.browser.steps import HOW, chromium_path, log_in, running_chromium, wait_for_previews
from tests.population.stream import Population

__all__ = ["main"]

PAGES = {
    "newest 50": "/",
    "pictures": "/?view=grid",
    "part of an object's name": "/?OBJECT=ngc",
    "night": "/?night=2021-03-04",
    "place of 30′": "/?RA=202.47&DEC=47.195&radius=30",
    "filter and type": "/?FILTER=V&IMAGETYPE=object",
    "page 101": "/?offset=5000",
    "1,000 rows": "/?limit=1000",
    "sky": "/?view=sky",
    "nights": "/?view=nights",
}
_TYPED, _TYPING_MS, _PAUSE_MS = "ngc 1", 120, 400
_PATIENCE_MS = 60_000
_WINDOW: Any = {"width": 1280, "height": 860}

_TIMINGS = """() => new Promise((resolve) => {
    const shown = performance.now();
    const [page] = performance.getEntriesByType("navigation");
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    const usable = page.domContentLoadedEventEnd;
    const tell = (largest) => resolve([page.responseStart, paint.startTime, largest, usable, shown]);
    new PerformanceObserver((list) => tell(list.getEntries().at(-1).startTime))
        .observe({ type: "largest-contentful-paint", buffered: true });
    setTimeout(() => tell(paint.startTime), 1000);  // nothing larger was painted later
})"""
_LISTEN = """() => {
    window.typed = 0;
    window.shown = 0;
    document.getElementById("f-OBJECT").addEventListener("input", () => { window.typed = performance.now(); });
    document.addEventListener("fitsvault:shown", () => { window.shown = performance.now(); });
}"""


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening a page once took, in ms after the click.

    ``usable`` is when its scripts have run (``domContentLoadedEventEnd``), ``whole`` when all previews in view are
    there.
    """

    first_byte: float
    first_paint: float
    largest_paint: float
    usable: float
    whole: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All rounds of one archive: pages by name, and ms from the last key to the results, the pause not counted."""

    pages: dict[str, list[Opened]]
    typing: list[float]


def main() -> None:
    """Measure and print."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    options = _options()
    with open_databases(options.database, options.data_folder) as databases, _chromium() as browser:
        few = _measure(browser, databases, options.few, options.rounds)
        many = _measure(browser, databases, options.rows, options.rounds)
    print(_table(many, few, options.rows, options.few))


def _measure(browser: Browser, databases: Databases, rows: int, rounds: int) -> Measured:
    stock = prepare(databases, Population(rows), has_baseline=False)
    print(f"{rows:,} frames; {machine(stock.ours)}; load before: {load_average()}", flush=True)
    stock.close()
    extra = {"FITSVAULT_DATABASE_URL": stock.url, "FITSVAULT_RECONCILE_SECONDS": "0"}  # a sweep finds no object
    with tempfile.TemporaryDirectory(prefix="fitsvault-page-") as home, running_archive(Path(home), extra) as archive:
        state = _log_in(browser, archive)
        for path in PAGES.values():
            _put_previews(browser, archive, state, path, stock.url)
        pages = {name: _rounds(browser, archive, state, name, rounds) for name in PAGES}
        return Measured(pages, [_type(browser, archive, state) for _ in range(rounds)])


def _rounds(browser: Browser, archive: RunningArchive, state: StorageState, name: str, rounds: int) -> list[Opened]:
    opened = [_open(browser, archive, state, PAGES[name]) for _ in range(rounds)]
    print(f"  {name}: {_times([one.usable for one in opened])}", file=sys.stderr, flush=True)
    return opened


def _open(browser: Browser, archive: RunningArchive, state: StorageState, path: str) -> Opened:
    with _page(browser, archive, state) as page:
        page.goto(path)
        wait_for_previews(page)
        return Opened(*page.evaluate(_TIMINGS))


def _type(browser: Browser, archive: RunningArchive, state: StorageState) -> float:
    """Type the name of an object as people do, and wait for its frames."""
    with _page(browser, archive, state) as page:
        page.goto("/")
        wait_for_previews(page)
        page.evaluate(_LISTEN)
        page.locator("#f-OBJECT").press_sequentially(_TYPED, delay=_TYPING_MS)
        page.wait_for_function("() => document.getElementById('results').dataset.query.includes('OBJECT=ngc+1')")
        page.wait_for_function("() => window.shown > window.typed")
        return float(page.evaluate("window.shown - window.typed")) - _PAUSE_MS


def _log_in(browser: Browser, archive: RunningArchive) -> StorageState:
    with _page(browser, archive, None) as page:
        page.goto("/")
        log_in(page)
        return page.context.storage_state()


def _put_previews(browser: Browser, archive: RunningArchive, state: StorageState, path: str, database: str) -> None:
    """Leave in the store what ingest would have left, for the frames of a page."""
    with _page(browser, archive, state) as page:
        page.goto(path)
        ids = page.eval_on_selector_all("[data-frame]", "(rows) => rows.map((row) => Number(row.dataset.frame))")
    engine = make_engine(database)
    with read(make_session_factory(engine)) as session:
        digests = session.scalars(select(Frame.digest).where(Frame.id.in_(ids))).all()
    engine.dispose()
    picture = _picture()
    for digest in digests:
        key = derived_key(digest, PREVIEW_SMALL)
        archive.s3.put_object(Bucket=archive.derived, Key=key, Body=picture, ContentType="image/png")


def _picture() -> bytes:
    """Return a preview of noise, which packs as badly as a sky."""
    pixels = np.random.default_rng(1).normal(40, 12, (200, 200)).clip(0, 255).astype(np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


@contextmanager
def _page(browser: Browser, archive: RunningArchive, state: StorageState | None) -> Iterator[Page]:
    context = browser.new_context(base_url=archive.url, storage_state=state, viewport=_WINDOW)
    context.set_default_timeout(_PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        sys.exit(HOW)
    with running_chromium(path) as browser:
        print(f"Chromium {browser.version}", flush=True)
        yield browser


def _table(many: Measured, few: Measured, rows: int, baseline: int) -> str:
    heads = ("page", "first byte", "first paint", "largest paint", "usable", "previews in view")
    last = (f"usable, {baseline:,} frames", "ratio")
    lines = ["| " + " | ".join([*heads, *last]) + " |", "|---|" + "--:|" * (len(heads) + 1)]
    for name, opened in many.pages.items():
        fields = ("first_byte", "first_paint", "largest_paint", "usable", "whole")
        cells = [_times([getattr(one, field) for one in opened]) for field in fields]
        usable = [one.usable for one in opened]
        lines.append(_line(name, cells, usable, [one.usable for one in few.pages[name]]))
    lines.append(
        _line(f"typed *{_TYPED}*, after the pause", ["", "", "", _times(many.typing), ""], many.typing, few.typing)
    )
    told = f"ms, median / worst of {len(many.typing)}, {rows:,} frames; load after: {load_average()}"
    return f"{told}\n\n" + "\n".join(lines)


def _line(name: str, cells: Sequence[str], ours: Sequence[float], theirs: Sequence[float]) -> str:
    ratio = statistics.median(ours) / statistics.median(theirs)
    return "| " + " | ".join([name, *cells, _times(theirs), f"{ratio:.1f}"]) + " |"


def _times(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f} / {max(values):.0f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench_page", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="frames (1,000,000)")
    parser.add_argument("--few", type=int, default=10_000, help="frames of the baseline (10,000)")
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql, or the URL of a PostgreSQL server")
    parser.add_argument("--data-folder", type=Path, default=Path(tempfile.gettempdir()) / "fitsvault-bench")
    parser.add_argument("--rounds", type=int, default=9, help="times that each page is opened (9)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
