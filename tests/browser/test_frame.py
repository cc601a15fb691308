"""One frame: over the search or on its own page, with headers to search in and greys to stretch."""

import re

from playwright.sync_api import Page, expect

from tests.archive import RunningArchive
from tests.browser.conftest import MakePage

FRAMES = "/?IMAGETYPE=object&RLEVEL=91"


def darkness(page: Page) -> list[int]:
    """Return the grey of a pixel in the middle and in a corner of the preview."""
    return list(
        page.evaluate(
            """() => {
                const canvas = document.querySelector(".viewer canvas");
                const grey = (x, y) => canvas.getContext("2d").getImageData(x, y, 1, 1).data[0];
                return [grey(canvas.width >> 1, canvas.height >> 1), grey(3, 3)];
            }"""
        )
    )


def test_a_frame_opens_over_the_search_and_the_next_is_one_key_away(make_page: MakePage) -> None:
    page = make_page(FRAMES)
    links = page.locator("[data-frame-link]")
    first, second = links.nth(0).inner_text(), links.nth(1).inner_text()
    links.nth(0).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("h1")).to_contain_text(first)
    expect(page).to_have_url(re.compile("/view/frame/"))
    expect(dialog.get_by_role("button", name="Previous")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    expect(dialog.locator("h1")).to_contain_text(second)
    page.keyboard.press("ArrowLeft")
    expect(dialog.locator("h1")).to_contain_text(first)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?IMAGETYPE=object&RLEVEL=91$"))
    expect(links.nth(0)).to_be_focused()
    page.go_forward()
    expect(dialog.locator("h1")).to_contain_text(first)
    page.reload()
    expect(page.get_by_role("main").locator("h1")).to_contain_text(first)


def test_headers_are_searched(make_page: MakePage) -> None:
    page = make_page(FRAMES)
    page.locator("[data-frame-link]").first.click()
    search = page.get_by_label("Search in the headers")
    search.fill("exptime")
    expect(page.locator("#header-count")).to_have_text(re.compile(r"^[1-3] cards?$"))
    for row in page.locator("#headers tbody tr:visible").all():
        assert "exptime" in row.inner_text().lower()
    search.fill("")
    expect(page.locator("#headers tbody tr:visible").nth(10)).to_be_visible()


def test_related_frames_are_chosen_as_well(make_page: MakePage) -> None:
    page = make_page(FRAMES)
    page.locator("[data-frame-link]").first.click()
    related = page.get_by_role("dialog").locator("table.frames tbody tr")
    expect(related).to_have_count(5)  # itself, its raw frame, and the masters of bias, dark and flat
    for box in related.locator("input").all():
        box.check()
    expect(page.get_by_role("dialog").locator("[data-basket-count]")).to_contain_text("5 chosen")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#results [data-basket-count]")).to_contain_text("5 chosen")


def test_greys_are_inverted_and_stretched(make_page: MakePage) -> None:
    page = make_page(FRAMES)
    page.locator("[data-frame-link]").first.click()
    expect(page.locator(".viewer canvas")).to_be_visible()
    before = darkness(page)
    page.get_by_label("Invert").check()
    assert darkness(page) == [255 - grey for grey in before]
    page.get_by_label("Invert").uncheck()
    page.get_by_label("Stretch").select_option("Asinh")
    stretched = darkness(page)
    assert all(new >= old for new, old in zip(stretched, before, strict=True))
    assert stretched != before
    page.get_by_label("Black").fill("255")
    assert darkness(page)[1] == 0
    page.get_by_role("button", name="Show the preview as it was made").click()
    assert darkness(page) == before


def test_the_preview_is_zoomed_by_keys_and_wheel(make_page: MakePage, night_archive: RunningArchive) -> None:
    frame = night_archive.get("/frames/", limit=1, RLEVEL=91)["results"][0]
    page = make_page(f"/view/frame/{frame['id']}/")
    stage, scale = page.locator(".stage"), page.locator(".knobs output")
    expect(scale).to_have_text("100 %")
    stage.focus()
    page.keyboard.press("+")
    expect(scale).to_have_text("125 %")
    stage.hover()
    page.mouse.wheel(0, -100)
    expect(scale).to_have_text("156 %")
    page.keyboard.press("0")
    expect(scale).to_have_text("100 %")
