"""The way of an astronomer through all of the page, in one go: at a desk, and at the telescope with a telephone."""

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shared.simulator import simulate_frame
from tests.archive import RunningArchive, wait_until
from tests.browser.conftest import MakePage
from tests.browser.everybody import PHONE, check_shape
from tests.browser.steps import log_in

ROWS = "table.frames tbody tr"
DESK = 1280
PREFIX = "walk/"
GOOD, BAD = "walked.fits", "no <i>frame.fits"


class Walk:
    """A page, and the archive that it must agree with."""

    def __init__(self, page: Page, archive: RunningArchive) -> None:
        self.page = page
        self.archive = archive

    def found(self, **parameters: Any) -> list[dict[str, Any]]:
        """Return the frames that the API has for a search, in the page's order, once the page has as many."""
        answer = self.archive.get("/frames/", **{"sort": "DATE_OBS", "order": "desc", "limit": 50, **parameters})
        words = "1 frame" if answer["count"] == 1 else f"{answer['count']} frames"
        expect(self.page.locator("#found")).to_have_text(words)
        frames: list[dict[str, Any]] = answer["results"]
        return frames

    def shows(self, **parameters: Any) -> None:
        """Assert that the table has the frames that the API has for a search, in the same order."""
        names = [frame["basename"] for frame in self.found(**parameters)]
        assert names
        expect(self.page.locator(f"{ROWS} th")).to_have_text(names)

    def fill(self, label: str, text: str) -> None:
        """Write into a field of the form, which a telephone folds up."""
        self._unfold()
        self.page.get_by_role("textbox", name=label, exact=True).fill(text)

    def choose(self, label: str, value: str) -> None:
        """Choose an option of the form."""
        self._unfold()
        self.page.get_by_role("combobox", name=label, exact=True).select_option(value)

    def reset(self) -> None:
        """Begin a new search."""
        self._unfold()
        self.page.get_by_role("link", name="Reset").click()
        expect(self.page).to_have_url(f"{self.archive.url}/")

    def _unfold(self) -> None:
        if self.page.locator("#filters").get_attribute("open") is None:
            self.page.locator("#filters > summary").click()

    def zip_of(self, act: Callable[[], None]) -> dict[str, str]:
        """Return the SHA-256 of each frame in the zip that an act downloads, by its file name."""
        with self.page.expect_download() as waiting:
            act()
        with zipfile.ZipFile(waiting.value.path()) as archive:
            names = [name for name in archive.namelist() if not name.endswith(("README.txt", "MANIFEST.csv"))]
            return {name.rpartition("/")[2]: hashlib.sha256(archive.read(name)).hexdigest() for name in names}


def checksums(frames: list[dict[str, Any]]) -> dict[str, str]:
    return {frame["filename"]: frame["sha256"] for frame in frames}


@pytest.fixture
def tidied(night_archive: RunningArchive) -> Iterator[RunningArchive]:
    """The archive, which other tests find as it was."""

    def state() -> tuple[int, ...]:
        return tuple(night_archive.get(path, limit=0)["count"] for path in ("/frames/", "/ingest/failures/"))

    before = state()
    yield night_archive
    keys = tuple(found.key for found in night_archive.store.walk(night_archive.bucket, prefix=PREFIX))
    night_archive.store.delete(night_archive.bucket, keys)
    wait_until("they are gone", lambda: state() == before)


@pytest.fixture(params=[DESK, PHONE])
def walk(request: pytest.FixtureRequest, make_page: MakePage, tidied: RunningArchive) -> Walk:
    page = make_page("/", storage_state=None, viewport={"width": request.param, "height": 800})
    return Walk(page, tidied)


def test_from_logging_in_to_logging_out(walk: Walk, make_page: MakePage, tmp_path: Path) -> None:
    logs_in(walk)
    searches(walk)
    sorts_and_turns_pages(walk, make_page)
    looks_at_a_frame(walk)
    takes_frames(walk)
    uploads(walk, tmp_path)
    sees_what_failed(walk)
    looks_into_the_panel(walk)
    logs_out(walk)


def logs_in(walk: Walk) -> None:
    page = walk.page
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    check_shape(page)
    log_in(page)
    walk.shows()
    check_shape(page)


def searches(walk: Walk) -> None:
    """By object, by night, by position, and by what the option lists say there is."""
    page = walk.page
    walk.fill("Object", "ngc")
    walk.shows(OBJECT="ngc")
    walk.choose("Image type", "object")
    walk.found(OBJECT="ngc", IMAGETYPE="object")
    for label in page.get_by_role("combobox", name="Filter", exact=True).locator("option").all_inner_texts()[1:]:
        value, count = re.fullmatch(r"(\S+) \((\d+)\)", label).groups()  # type: ignore[union-attr]
        assert walk.archive.get("/frames/", OBJECT="ngc", IMAGETYPE="object", FILTER=value)["count"] == int(count)
    walk.choose("Filter", "R")
    walk.shows(OBJECT="ngc", IMAGETYPE="object", FILTER="R")

    walk.reset()
    walk.fill("Night", "2026-04-15")
    page.keyboard.press("Enter")
    walk.shows(night="2026-04-15")
    walk.fill("Night", "2026-04-14")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No frame meets all of these conditions.")).to_be_visible()
    check_shape(page)

    walk.reset()
    one = next(frame for frame in walk.archive.get("/frames/", IMAGETYPE="object")["results"] if frame["RA"])
    seconds = one["RA"] / 15 * 3600
    walk.fill("RA", f"{int(seconds // 3600)}:{int(seconds // 60 % 60)}:{seconds % 60:.3f}")
    walk.fill("Dec", f"{one['DEC']:.6f}")
    walk.fill("Radius (′)", "12")
    page.keyboard.press("Enter")
    frames = walk.found(RA=one["RA"], DEC=one["DEC"], radius=12)
    assert one["id"] in [frame["id"] for frame in frames]
    assert len(frames) < walk.archive.get("/frames/", limit=0)["count"]
    walk.shows(RA=one["RA"], DEC=one["DEC"], radius=12)


def sorts_and_turns_pages(walk: Walk, make_page: MakePage) -> None:
    page = walk.page
    page.goto("/?limit=25")
    page.get_by_role("link", name="Exposure (s)").click()
    walk.shows(sort="EXPTIME", order="asc", limit=25)
    page.get_by_role("link", name="Exposure (s)").click()
    walk.shows(sort="EXPTIME", order="desc", limit=25)
    page.get_by_role("link", name="Next").click()
    walk.shows(sort="EXPTIME", order="desc", limit=25, offset=25)
    sent = make_page(page.url, viewport=page.viewport_size)
    Walk(sent, walk.archive).shows(sort="EXPTIME", order="desc", limit=25, offset=25)
    page.get_by_role("link", name="Previous").click()
    walk.shows(sort="EXPTIME", order="desc", limit=25)
    page.get_by_role("link", name="Pictures").click()
    expect(page.locator(".grid li")).to_have_count(25)
    check_shape(page)


def looks_at_a_frame(walk: Walk) -> None:
    """Its preview, what is known of it, and its headers; and on a page of its own."""
    page = walk.page
    page.goto("/?IMAGETYPE=object&RLEVEL=91")
    frame = walk.found(IMAGETYPE="object", RLEVEL=91)[0]
    page.locator("[data-frame-link]").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=1)).to_contain_text(frame["basename"])
    expect(dialog.locator(".viewer canvas")).to_be_visible()
    dialog.get_by_label("Search in the headers").fill("DATE-OBS")
    expect(dialog.locator("#headers tbody tr:visible").filter(has_text=frame["DATE_OBS"][:19]).first).to_be_visible()
    check_shape(page)
    page.reload()
    expect(page.get_by_role("main").get_by_role("heading", level=1)).to_contain_text(frame["basename"])
    check_shape(page)


def takes_frames(walk: Walk) -> None:
    """Those that were chosen, and all."""
    page = walk.page
    page.goto("/?IMAGETYPE=object&FILTER=B&sort=id&order=asc")
    frames = walk.found(IMAGETYPE="object", FILTER="B", sort="id", order="asc")
    for at in (1, 3):
        page.locator(f"{ROWS} input").nth(at).check()
    taken = walk.zip_of(page.get_by_role("button", name="Download zip").click)
    assert taken == checksums([frames[1], frames[3]])
    assert walk.zip_of(page.get_by_role("link", name=f"Download all {len(frames)}").click) == checksums(frames)
    page.get_by_role("button", name="Choose none").click()


def uploads(walk: Walk, folder: Path) -> None:
    page = walk.page
    (folder / GOOD).write_bytes(simulate_frame(name="walked").data)
    (folder / BAD).write_bytes(b"no FITS at all")
    page.get_by_role("link", name="Upload").click()
    page.get_by_label("Folder in the bucket").fill(PREFIX)
    page.set_input_files("#files", [folder / GOOD, folder / BAD])
    expect(page.locator("#all-text")).to_have_text("2 of 2 sent, 1 indexed, 1 not indexed")
    check_shape(page)
    kept = walk.archive.s3.get_object(Bucket=walk.archive.bucket, Key=PREFIX + GOOD)["Body"].read()
    assert kept == (folder / GOOD).read_bytes()


def sees_what_failed(walk: Walk) -> None:
    page = walk.page
    page.get_by_role("link", name="Failures").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=PREFIX + BAD, exact=True))
    expect(row).to_contain_text("not FITS")
    check_shape(page)


def looks_into_the_panel(walk: Walk) -> None:
    page = walk.page
    page.get_by_role("link", name="Admin", exact=True).click()
    page.get_by_label("Admin").get_by_role("link", name="Accounts").click()
    expect(page.get_by_role("link", name="admin", exact=True).first).to_be_visible()
    check_shape(page)


def logs_out(walk: Walk) -> None:
    page = walk.page
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto("/?OBJECT=ngc")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
