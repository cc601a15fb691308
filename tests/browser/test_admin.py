"""The admin panel in a real browser, with its content security policy, with scripts and without."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.archive import RunningArchive
from tests.browser.conftest import MakePage
from tests.browser.everybody import check_for_everybody

PAGES = ("", "accounts/list", "accounts/new", "frames/list?pageSize=5")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_accessible_and_fits_a_phone(make_page: MakePage, path: str) -> None:
    check_for_everybody(make_page(f"/admin/{path}"))


@pytest.mark.parametrize("scripts", [True, False])
def test_an_account_and_its_token(make_page: MakePage, night_archive: RunningArchive, scripts: bool) -> None:
    name = f"walker-{scripts}"
    page = make_page("/admin/", java_script_enabled=scripts)
    page.get_by_label("Admin").get_by_role("link", name="Accounts").click()
    page.get_by_role("link", name="New account").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("long enough")
    page.get_by_label("Role").select_option("staff")
    page.get_by_role("button", name="Make account").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.get_by_label("Role").select_option("user")
    page.get_by_role("button", name="Change role").click()
    told(page, "another role")
    page.get_by_role("link", name="New token").click()
    page.get_by_label("What it is for").fill("a <b>walk</b>")
    page.get_by_role("button", name="Make token").click()
    key = page.locator("code.key").inner_text()
    assert re.fullmatch(r"[0-9a-f]{40}", key)
    page.get_by_role("link", name=f"Tokens of {name}").click()
    expect(page.get_by_role("cell", name="a <b>walk</b>")).to_be_visible()
    page.get_by_text("Revoke…").click()
    page.get_by_role("button", name="Revoke").click()
    told(page, "was revoked")


def test_a_frame_shows_its_preview(make_page: MakePage, night_archive: RunningArchive) -> None:
    frame = night_archive.get("/frames/", limit=1)["results"][0]
    page = make_page("/admin/frames/list")
    page.get_by_label("What").fill(frame["basename"])
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=str(frame["id"]), exact=True).click()
    picture = page.get_by_alt_text(f"Preview of {frame['basename']}")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 0
    page.get_by_role("link", name="Page of the frame").click()
    page.wait_for_url(f"**/view/frame/{frame['id']}/")


def told(page: Page, news: str) -> None:
    expect(page.locator(".told")).to_contain_text(news)
