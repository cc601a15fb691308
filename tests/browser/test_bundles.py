"""Bundles: ordered from the search, watched without reload, fetched and deleted."""

import zipfile

from playwright.sync_api import Page, expect

from shared.bundle.inside import RESERVED
from tests.archive import RunningArchive
from tests.browser.conftest import MakePage
from tests.browser.everybody import check_for_everybody

LATE = 30_000
"""Milliseconds in which a small bundle is built and shown."""


def names(page: Page) -> set[str]:
    """Fetch the first bundle, and return the files in it."""
    with page.expect_download() as fetched:
        page.locator(".job").first.get_by_role("link", name="Download").click()
    with zipfile.ZipFile(fetched.value.path()) as archive:
        assert archive.testzip() is None
        return {name.partition("/")[2] for name in archive.namelist()} - set(RESERVED)


def test_chosen_frames_are_built_and_fetched(make_page: MakePage, night_archive: RunningArchive) -> None:
    page = make_page("/?IMAGETYPE=object&FILTER=R&sort=id")
    boxes = page.locator("tbody input[type=checkbox]")
    ids = [boxes.nth(n).input_value() for n in (0, 2)]
    for n in (0, 2):
        boxes.nth(n).check()
    page.locator("[data-basket]").get_by_role("button", name="Build a bundle").click()
    page.wait_for_url("**/view/bundles/")
    page.evaluate("window.mark = true")
    expect(page.locator(".job").first.get_by_role("link", name="Download")).to_be_visible(timeout=LATE)
    assert page.evaluate("window.mark === true")
    assert names(page) == {night_archive.get(f"/frames/{one}/")["filename"] for one in ids}
    check_for_everybody(page)


def test_a_whole_search_is_built_and_deleted(make_page: MakePage, night_archive: RunningArchive) -> None:
    page = make_page("/?IMAGETYPE=object&FILTER=B&limit=25")
    page.locator("#results .tools").get_by_role("button", name="Build a bundle").click()
    page.wait_for_url("**/view/bundles/")
    expect(page.locator(".job").first).to_contain_text("FILTER=B, IMAGETYPE=object")
    expect(page.locator(".job").first.get_by_role("link", name="Download")).to_be_visible(timeout=LATE)
    assert len(names(page)) == night_archive.get("/frames/", IMAGETYPE="object", FILTER="B", limit=0)["count"]
    count = page.locator(".job").count()
    page.get_by_role("button", name="Delete").first.click()
    expect(page.locator(".job")).to_have_count(count - 1)


def test_without_scripts_it_is_shown_again_and_again_while_it_is_built(make_page: MakePage) -> None:
    page = make_page("/?IMAGETYPE=object&FILTER=V", java_script_enabled=False)
    page.locator("#results .tools").get_by_role("button", name="Build a bundle").click()
    page.wait_for_url("**/view/bundles/")
    expect(page.locator(".job").first.get_by_role("link", name="Download")).to_be_visible(timeout=LATE)
