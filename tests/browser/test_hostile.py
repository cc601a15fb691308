"""Headers and keys that would harm whoever shows them as anything but text."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.archive import RunningArchive, wait_until
from tests.browser.conftest import MakePage
from tests.fits.builders import image

pytestmark = pytest.mark.archive
PREFIX = "hostile/"
VALUES = {
    "<img src=x onerror=alert(1)>": "<script>alert(1)</script>",
    "\u202egnp": '"><img src=x onerror=alert(2)>',
    "'\"><script>alert(2)<script>": "javascript:alert(3)",
    "W" * 120: "W" * 66,
    "long": "<script>" + "&" * 4983 + "</script>",
    "control": "a\a\b\x1b[31mred\x7f\x00\x9b",
}
"""By file name, what all of the frame's keywords say."""
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
PHONE = {"width": 390, "height": 800}


def cards(keyword: str, value: str) -> list[str]:
    """Return the cards of a text of any length."""
    parts = [value[start : start + 66] for start in range(0, len(value), 66)]
    ends = ["&'"] * (len(parts) - 1) + ["'"]
    heads = [f"{keyword:8}= '"] + ["CONTINUE  '"] * (len(parts) - 1)
    return [head + part + end for head, part, end in zip(heads, parts, ends, strict=True)]


def hostile(value: str) -> bytes:
    texts = [text for name in ("OBJECT", "FILTER", "SITEID", "TELID", "INSTRUME") for text in cards(name, value)]
    return image("IMAGETYP= 'object'", "DATE-OBS= '2026-04-15T01:02:03'", *texts)


@pytest.fixture
def hostile_frames(night_archive: RunningArchive) -> Iterator[dict[int, str]]:
    """What the keywords of frames that mean harm say, by the frames' ids; afterwards the archive is as it was."""
    before = night_archive.get("/frames/", limit=0)["count"]
    for name, value in VALUES.items():
        night_archive.s3.put_object(Bucket=night_archive.bucket, Key=f"{PREFIX}{name}.fits", Body=hostile(value))
    night_archive.s3.put_object(Bucket=night_archive.bucket, Key=f"{PREFIX}{next(iter(VALUES))}", Body=b"<b>no FITS")
    wait_until("they are indexed", lambda: night_archive.get("/frames/", limit=0)["count"] == before + len(VALUES))
    found = night_archive.get("/frames/", limit=len(VALUES), sort="id", order="desc")["results"]
    yield {frame["id"]: VALUES[frame["key"].removeprefix(PREFIX).removesuffix(".fits")] for frame in found}
    keys = tuple(found.key for found in night_archive.store.walk(night_archive.bucket, prefix=PREFIX))
    night_archive.store.delete(night_archive.bucket, keys)
    wait_until("they are gone", lambda: night_archive.get("/frames/", limit=0)["count"] == before)


def test_they_are_text_and_leave_every_page_in_shape(make_page: MakePage, hostile_frames: dict[int, str]) -> None:
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


def test_they_are_text_in_the_dialog(make_page: MakePage, hostile_frames: dict[int, str]) -> None:
    page = make_page("/?sort=id&order=desc")
    for frame_id, value in hostile_frames.items():
        page.locator(f'tr[data-frame="{frame_id}"] a').click()
        expect(page.locator(f'dialog article[data-frame="{frame_id}"]')).to_be_visible()
        shown = page.locator("dialog #headers tr", has=page.get_by_role("rowheader", name="OBJECT", exact=True))
        assert shown.locator("td").first.text_content() == CONTROL.sub(" ", value).rstrip()
        page.locator("#header-search").fill("<script>")
        expect(page.locator("#header-count")).to_contain_text("card")
        assert page.locator("dialog script").count() == 0
        page.get_by_role("button", name="Close", exact=True).click()
        expect(page.locator("dialog")).to_be_hidden()
