"""Headers and keys that would harm whoever shows them as anything but text."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.archive import RunningArchive, wait_until
from tests.browser.conftest import MakePage
from tests.fits.builders import image

pytestmark = pytest.mark.archive
PREFIX = "hostile/"
NAMES = ("<img src=x onerror=alert(1)>", "\u202egnp", "'\"><script>alert(2)<script>", "W" * 120)
VALUES = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "javascript:alert(3)", "W" * 66)
PHONE = {"width": 390, "height": 800}


def hostile(value: str) -> bytes:
    texts = [f"{name:8}= '{value}'" for name in ("OBJECT", "FILTER", "SITEID", "TELID", "INSTRUME")]
    return image("IMAGETYP= 'object'", "DATE-OBS= '2026-04-15T01:02:03'", *texts)


@pytest.fixture
def hostile_frames(night_archive: RunningArchive) -> Iterator[list[int]]:
    """Ids of frames that mean harm; afterwards the archive is as it was."""
    before = night_archive.get("/frames/", limit=0)["count"]
    for name, value in zip(NAMES, VALUES, strict=True):
        night_archive.s3.put_object(Bucket=night_archive.bucket, Key=f"{PREFIX}{name}.fits", Body=hostile(value))
    night_archive.s3.put_object(Bucket=night_archive.bucket, Key=f"{PREFIX}{NAMES[0]}", Body=b"<b>no FITS")
    wait_until("they are indexed", lambda: night_archive.get("/frames/", limit=0)["count"] == before + len(NAMES))
    found = night_archive.get("/frames/", limit=len(NAMES), sort="id", order="desc")["results"]
    yield [frame["id"] for frame in found]
    keys = tuple(found.key for found in night_archive.store.walk(night_archive.bucket, prefix=PREFIX))
    night_archive.store.delete(night_archive.bucket, keys)
    wait_until("they are gone", lambda: night_archive.get("/frames/", limit=0)["count"] == before)


def test_they_are_text_and_leave_every_page_in_shape(make_page: MakePage, hostile_frames: list[int]) -> None:
    page = make_page("/", viewport=PHONE)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    long, script = "W" * 900, "%3Cscript%3Ealert(3)%3C/script%3E"
    searches = ["sort=id&order=desc&limit=25", f"OBJECT={long}&FILTER={script}"]
    paths = [f"/?{search}&view={view}" for search in searches for view in ("table", "grid", "sky")]
    paths += [f"/view/frame/{frame_id}/" for frame_id in hostile_frames]
    paths += ["/view/failures/", f"/view/failures/?prefix={long}", "/admin/frames/list", "/admin/failures/list"]
    for path in paths:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path[:60]
        assert page.locator("main script, main img[src=x]").count() == 0, path[:60]
    assert dialogs == []


def test_they_are_text_in_the_dialog(make_page: MakePage, hostile_frames: list[int]) -> None:
    page = make_page("/?sort=id&order=desc")
    for frame_id in hostile_frames:
        page.locator(f'tr[data-frame="{frame_id}"] a').click()
        expect(page.locator(f'dialog article[data-frame="{frame_id}"]')).to_be_visible()
        page.locator("#header-search").fill("<script>")
        expect(page.locator("#header-count")).to_contain_text("card")
        assert page.locator("dialog script").count() == 0
        page.get_by_role("button", name="Close", exact=True).click()
        expect(page.locator("dialog")).to_be_hidden()
