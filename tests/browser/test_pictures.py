"""Pictures of the pages with real frames on them; `make pictures` keeps them for the README.

In those that are kept people should find what they will see themselves: every preview is there, and no text is cut off.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import pytest
from playwright.sync_api import Browser, Page

from tests.archive import RunningArchive, running_archive, wait_until
from tests.browser.steps import log_in, wait_for_previews

pytestmark = [pytest.mark.archive, pytest.mark.frames]

DESK = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 780}
FRAME = "mro_test_frame"
COLOURS = 256


@pytest.fixture(scope="module")
def real_archive(tmp_path_factory: pytest.TempPathFactory, real_frames: Path) -> Iterator[RunningArchive]:
    """An archive with all real frames in it, and nothing else."""
    files = [path for path in sorted(real_frames.iterdir()) if ".fit" in path.suffixes or ".fits" in path.suffixes]
    with running_archive(tmp_path_factory.mktemp("pictures")) as archive:
        for path in files:
            archive.s3.upload_file(str(path), archive.bucket, f"real/{path.name}")

        def settled() -> int:
            frames = archive.get("/frames/", limit=0, undated="true")["count"]
            return int(frames + archive.get("/ingest/failures/", limit=0)["count"])

        wait_until("every file is settled", lambda: settled() == len(files))
        yield archive


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: the folder that PICTURES names, or one of the test's own."""
    return Path(os.environ.get("PICTURES") or tmp_path_factory.mktemp("taken"))


def make_page(browser: Browser, archive: RunningArchive, viewport: dict[str, int], scheme: str) -> Page:
    """Return a page of somebody who has logged in."""
    scale = 2 if viewport is PHONE else 1
    context = browser.new_context(
        base_url=archive.url,
        viewport=viewport,  # type: ignore[arg-type]
        color_scheme=scheme,  # type: ignore[arg-type]
        device_scale_factor=scale,
    )
    page = context.new_page()
    page.goto("/")
    log_in(page)
    return page


def take(page: Page, path: Path) -> None:
    """Take a picture of what the screen shows, of few colours, since it goes into the repository."""
    wait_for_previews(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    with PIL.Image.open(io.BytesIO(page.screenshot(animations="disabled"))) as taken:
        picture = taken.convert("RGB").quantize(COLOURS, dither=PIL.Image.Dither.FLOYDSTEINBERG)
    picture.save(path, optimize=True)
    assert len(picture.getcolors(COLOURS) or ()) > COLOURS // 4  # there is something on it


@pytest.mark.parametrize(
    ("name", "path", "viewport", "scheme"),
    [
        ("search", "/?limit=25", DESK, "light"),
        ("grid", "/?view=grid&end=2026-11-01", DESK, "light"),
        ("frame", "/view/frame/{id}/", DESK, "dark"),
        ("phone", "/?view=grid&end=2026-11-01", PHONE, "light"),
    ],
)
def test_pages_are_taken_with_all_their_previews(
    chromium: Browser,
    real_archive: RunningArchive,
    folder: Path,
    name: str,
    path: str,
    viewport: dict[str, int],
    scheme: str,
) -> None:
    page = make_page(chromium, real_archive, viewport, scheme)
    page.goto(path.format(id=real_archive.get("/frames/", basename=FRAME)["results"][0]["id"]))
    take(page, folder / f"{name}.png")
    page.context.close()
