"""What holds on every page: it can be used by anybody, in any colours, on any screen, and without scripts."""

import zipfile

import pytest
from playwright.sync_api import expect

from tests.archive import RunningArchive
from tests.browser.conftest import MakePage
from tests.browser.everybody import check_for_everybody
from tests.browser.steps import log_in

PAGES = {
    "table": "/?limit=25",
    "grid": "/?view=grid&limit=25",
    "sky": "/?view=sky",
    "nights": "/?view=nights",
    "nothing": "/?OBJECT=nowhere",
    "frame": "/view/frame/{id}/",
    "bundles": "/view/bundles/",
    "upload": "/view/upload/",
    "failures": "/view/failures/",
    "admin": "/admin/",
    "missing": "/view/frame/999999/",
    "login": "/accounts/login/",
}


def path_of(name: str, archive: RunningArchive) -> str:
    return PAGES[name].format(id=archive.get("/frames/", limit=1, RLEVEL=91)["results"][0]["id"])


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_every_page(make_page: MakePage, night_archive: RunningArchive, name: str) -> None:
    page = make_page(path_of(name, night_archive), is_quiet=name != "missing")
    check_for_everybody(page)


def test_colours_are_remembered(make_page: MakePage) -> None:
    page = make_page("/", color_scheme="dark")
    back = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(back) == "rgb(11, 15, 24)"
    page.get_by_label("Colours").select_option("red")
    assert page.evaluate(back) == "rgb(0, 0, 0)"
    page.reload()
    assert page.evaluate(back) == "rgb(0, 0, 0)"


def test_everything_is_reached_by_keyboard(make_page: MakePage) -> None:
    page = make_page("/?IMAGETYPE=object&limit=25")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.evaluate("window.results = document.getElementById('results')")
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(str(page.evaluate("document.activeElement.name || document.activeElement.innerText || ''")).strip())
    assert {"Search", "Reset", "Table", "Pictures", "Sky", "Nights", "SITE", "frame_ids[]"} <= reached
    assert page.evaluate("window.results === document.getElementById('results')")  # going to a place is no search


def test_without_scripts_frames_are_found_looked_at_and_taken(
    make_page: MakePage, night_archive: RunningArchive
) -> None:
    page = make_page("/", java_script_enabled=False)
    page.get_by_role("textbox", name="Object").fill("ngc")
    page.get_by_role("combobox", name="Filter").select_option("V")
    page.get_by_role("button", name="Search").click()
    wanted = night_archive.get("/frames/", OBJECT="ngc", FILTER="V")
    expect(page.locator("#found")).to_have_text(f"{wanted['count']} frames")
    expect(page).to_have_url(f"{night_archive.url}/?OBJECT=ngc&FILTER=V")
    for box in page.locator("input[name='frame_ids[]']").all()[:2]:
        box.check()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download zip").click()
    with zipfile.ZipFile(waiting.value.path()) as bundle:
        assert len(bundle.namelist()) == 4
    page.locator("[data-frame-link]").first.click()
    expect(page.get_by_role("heading", name="FITS headers")).to_be_visible()
    expect(page.get_by_role("img", name="Preview of")).to_be_visible()
    expect(page.get_by_role("rowheader", name="EXPTIME").first).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").first.click()
    assert waiting.value.suggested_filename.endswith((".fits", ".fits.fz"))


def test_logging_out_ends_it(make_page: MakePage) -> None:
    page = make_page("/accounts/login/", is_quiet=False, storage_state=None)  # previews that come late get a 401
    log_in(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto("/?OBJECT=ngc")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
