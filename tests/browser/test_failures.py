"""The page of failures: filtered, and tried again as one watches."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.archive import RunningArchive, wait_until
from tests.browser.conftest import MakePage
from tests.browser.everybody import check_for_everybody

LATE = 30_000
"""Milliseconds in which an attempt is made and shown."""

KEYS = ("broken/<script>alert(1)</script>.fits", "broken/short.fits", "other/short.fits")


@pytest.fixture
def failing(night_archive: RunningArchive) -> Iterator[RunningArchive]:
    """An archive with three objects that are no frames."""

    def count() -> int:
        return int(night_archive.get("/ingest/failures/", limit=0)["count"])

    before = count()
    for key in KEYS:
        night_archive.s3.put_object(Bucket=night_archive.bucket, Key=key, Body=b"no FITS at all")
    wait_until("they are failures", lambda: count() == before + len(KEYS))
    yield night_archive
    night_archive.store.delete(night_archive.bucket, KEYS)
    wait_until("they are gone", lambda: count() == before)


def test_failures_are_narrowed_and_tried_again(make_page: MakePage, failing: RunningArchive) -> None:
    page = make_page("/view/failures/")
    page.get_by_label("Keys that begin with").fill("broken/")
    page.get_by_role("button", name="Show", exact=True).click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(page.get_by_role("rowheader", name=KEYS[0], exact=True)).to_be_visible()
    check_for_everybody(page)
    page.get_by_role("button", name=f"Try {KEYS[1]} again").click()
    row = rows.filter(has_text=KEYS[1])
    expect(row.get_by_role("cell").nth(3)).to_have_text("2", timeout=LATE)
    expect(row.get_by_role("cell").nth(6)).to_have_text("none", timeout=LATE)
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Try all 2 shown again").click()
    expect(row.get_by_role("cell").nth(3)).to_have_text("3", timeout=LATE)
    expect(rows.filter(has_text="script").get_by_role("cell").nth(3)).to_have_text("2", timeout=LATE)
