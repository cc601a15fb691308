"""Somebody in a hurry: answers that come late, out of order, or not at all, and keys that are pressed twice."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import MakePage

pytestmark = pytest.mark.archive
LINKS = "tbody a[data-frame-link]"


class Held:
    """Requests for some URLs, which wait until they are let go."""

    def __init__(self, page: Page, pattern: re.Pattern[str]) -> None:
        self._page = page
        self._pattern = pattern
        self._routes: list[Route] = []
        page.route(pattern, self._keep)

    def _keep(self, route: Route) -> None:
        self._routes.append(route)

    def let_go(self) -> None:
        for route in self._routes:
            route.continue_()
        self._page.unroute(self._pattern)
        self._page.wait_for_load_state("networkidle")


def frame_ids(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all("tbody tr", "rows => rows.map((row) => row.dataset.frame)")
    return found


def test_closing_twice_goes_back_once(make_page: MakePage) -> None:
    page = make_page("/?FILTER=V")
    page.goto("/?FILTER=B")
    page.locator(LINKS).first.click()
    expect(page.locator("dialog article")).to_be_visible()
    page.evaluate("const close = document.querySelector('[data-do=Close]'); close.click(); close.click();")
    expect(page.locator("dialog")).to_be_hidden()
    page.wait_for_url("**/?FILTER=B")
    expect(page.locator(".chips")).to_contain_text("Filter B")


def test_the_frame_asked_for_last_is_shown(make_page: MakePage) -> None:
    page = make_page("/")
    first, second, third = frame_ids(page)[:3]
    late = Held(page, re.compile(f"/view/frame/{first}/"))
    page.locator(LINKS).nth(0).click()
    page.locator(LINKS).nth(1).click()
    expect(page.locator(f'dialog article[data-frame="{second}"]')).to_be_visible()
    late.let_go()
    expect(page.locator(f'dialog article[data-frame="{second}"]')).to_be_visible()
    page.wait_for_url(f"**/view/frame/{second}/")

    late = Held(page, re.compile(f"/view/frame/{third}/"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    late.let_go()
    expect(page.locator("dialog")).to_be_hidden()
    page.wait_for_url("**/")


def test_a_search_waits_until_a_frame_was_looked_at(make_page: MakePage) -> None:
    page = make_page("/")
    everything = page.locator("#found").inner_text()
    late = Held(page, re.compile("OBJECT="))
    page.locator("#f-OBJECT").press_sequentially("flat")
    page.locator(LINKS).first.click()
    expect(page.locator("dialog article")).to_be_visible()
    late.let_go()
    expect(page.locator("#found")).to_have_text(everything)
    page.keyboard.press("Escape")
    page.wait_for_url("**/?OBJECT=flat")
    expect(page.locator("dialog")).to_be_hidden()
    expect(page.locator("#f-OBJECT")).to_have_value("flat")


def test_what_is_shown_is_what_the_address_says(make_page: MakePage) -> None:
    page = make_page("/")
    for name, view in (("Pictures", "grid"), ("Nights", "nights")):
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url(f"**/?view={view}")
    late = Held(page, re.compile("view=grid"))
    page.evaluate("history.back()")
    page.wait_for_url("**/?view=grid")
    page.evaluate("history.forward()")
    page.wait_for_url("**/?view=nights")
    late.let_go()
    expect(page.locator('.views [aria-current="true"]')).to_have_text("Nights")
    expect(page.locator("#results")).not_to_have_class("loading")


def test_an_archive_that_is_away_is_told_of_and_asked_again(make_page: MakePage) -> None:
    page = make_page("/", is_quiet=False)
    everything = page.locator("#found").inner_text()
    page.route(re.compile("OBJECT="), lambda route: route.abort())
    page.locator("#f-OBJECT").press_sequentially("flat")
    expect(page.get_by_role("alert")).to_contain_text("The archive does not answer.")
    expect(page.locator("#found")).to_have_text(everything)
    page.unroute(re.compile("OBJECT="))
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url("**/?OBJECT=flat")
    expect(page.get_by_role("alert")).to_have_count(0)

    page.get_by_role("link", name="Remove all").click()
    page.wait_for_url("**/")
    frame = re.compile(r"/view/frame/\d+/$")
    page.route(frame, lambda route: route.fulfill(status=503, content_type="application/json", body="{}"))
    page.locator(LINKS).first.click()
    expect(page.locator("dialog").get_by_role("alert")).to_contain_text("The archive does not answer.")
    page.unroute(frame)
    page.locator("dialog").get_by_role("button", name="Try again").click()
    expect(page.locator("dialog article")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_url("**/")


def test_a_frame_that_is_gone_is_told_of_beside_the_others(make_page: MakePage) -> None:
    page = make_page("/", is_quiet=False)
    page.evaluate("document.querySelector('a[data-frame-link]').href = '/view/frame/999999/'")
    page.locator(LINKS).first.click()
    expect(page.locator("dialog").get_by_role("alert")).to_contain_text("There is no such thing")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    page.wait_for_url("**/")
