"""Searching: without reload, by URLs that hold all of it, and with frames that appear by themselves."""

import re
import zipfile

from playwright.sync_api import Page, expect

from tests.archive import RunningArchive
from tests.browser.conftest import MakePage
from tests.fits.builders import card, image

TABLE = "table.frames tbody tr"


def mark(page: Page) -> None:
    """Leave a mark that a reload would wipe out."""
    page.evaluate("window.mark = true")


def is_marked(page: Page) -> bool:
    return bool(page.evaluate("window.mark === true"))


def test_filters_narrow_the_table_and_each_other_without_reload(make_page: MakePage) -> None:
    page = make_page("/")
    mark(page)
    whole = page.locator("#found").inner_text()
    page.get_by_role("combobox", name="Image type").focus()
    page.get_by_role("combobox", name="Image type").select_option("object")
    expect(page.locator("#found")).not_to_have_text(whole)
    expect(page).to_have_url(re.compile(r"\?IMAGETYPE=object$"))
    expect(page.get_by_role("combobox", name="Image type")).to_be_focused()
    assert page.get_by_role("combobox", name="Filter").locator("option").all_inner_texts() == [
        "All",
        "B (10)",
        "R (10)",
        "V (10)",
    ]
    page.get_by_role("combobox", name="Filter").select_option("V")
    expect(page.locator("#found")).to_have_text("10 frames")
    expect(page.locator(TABLE)).to_have_count(10)
    page.get_by_role("link", name="Remove the filter Image type object").click()
    expect(page.locator("#found")).not_to_have_text("10 frames")
    expect(page.get_by_role("combobox", name="Image type")).to_have_value("")
    page.go_back()
    expect(page.locator("#found")).to_have_text("10 frames")
    expect(page.get_by_role("combobox", name="Image type")).to_have_value("object")
    page.get_by_role("link", name="Reset").click()
    expect(page.locator("#found")).to_have_text(whole)
    assert is_marked(page)


def test_a_search_can_be_sent(make_page: MakePage, night_archive: RunningArchive) -> None:
    page = make_page("/")
    page.get_by_role("textbox", name="Object").press_sequentially("ngc")
    expect(page).to_have_url(re.compile("OBJECT=ngc"))
    page.get_by_role("combobox", name="Filter").select_option("R")
    expect(page).to_have_url(re.compile("FILTER=R"))
    page.get_by_role("link", name="Exposure (s)").click()
    expect(page).to_have_url(re.compile("sort=EXPTIME"))
    names = page.locator(f"{TABLE} th").all_inner_texts()
    assert names
    other = make_page(page.url.removeprefix(night_archive.url))
    assert other.locator(f"{TABLE} th").all_inner_texts() == names
    assert other.get_by_role("textbox", name="Object").input_value() == "ngc"


def test_columns_and_page_size_are_chosen(make_page: MakePage) -> None:
    page = make_page("/")
    page.get_by_text("Columns", exact=True).first.click()
    page.get_by_role("checkbox", name="Night").check()
    page.get_by_role("checkbox", name="Exposure (s)").uncheck()
    page.get_by_label("Frames on a page").select_option("25")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(TABLE)).to_have_count(25)
    heads = page.locator("table.frames thead th").all_inner_texts()
    assert "Night" in heads
    assert "Exposure (s)" not in heads
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile("offset=25"))
    expect(page.locator(".pager")).to_contain_text("26 to 50")


def test_a_place_on_the_sky_and_a_night_are_clicked(make_page: MakePage) -> None:
    page = make_page("/?view=sky&RLEVEL=91&IMAGETYPE=object")
    mark(page)
    spots = page.locator(".sky circle")
    assert 2 <= spots.count() <= 5
    told = int(re.findall(r": (\d+) frames", str(spots.first.locator("title").text_content()))[0])
    spots.first.click()
    expect(page).to_have_url(re.compile(r"RA=[0-9.]+&DEC=[-0-9.]+&radius="))
    expect(page.locator("#found")).to_have_text(f"{told} frames")
    page.get_by_role("link", name="Sky", exact=True).click()
    expect(page.locator(".sky .foot")).to_have_count(told)
    page.get_by_role("link", name="Remove all").click()
    page.get_by_role("link", name="Nights", exact=True).click()
    page.locator(".month td a").first.click()
    expect(page).to_have_url(re.compile("night=2026-04-15"))
    expect(page.locator(f"{TABLE} th").first).to_contain_text("20260415")
    assert is_marked(page)


def test_what_cannot_be_read_is_marked_and_mended(make_page: MakePage) -> None:
    page = make_page("/", is_quiet=False)  # a browser's console tells of each answer 400
    page.get_by_role("textbox", name="Night").fill("yesterday")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Invalid value for night.")
    expect(page.get_by_role("textbox", name="Night")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("textbox", name="Night").fill("2026-04-15")
    page.keyboard.press("Enter")
    expect(page.locator(TABLE).first).to_be_visible()
    expect(page.get_by_role("textbox", name="Night")).not_to_have_attribute("aria-invalid", "true")


def test_frames_are_chosen_from_page_to_page_and_come_as_one_zip(make_page: MakePage) -> None:
    page = make_page("/?limit=25")
    chosen = [page.locator(f"{TABLE} th").nth(at).inner_text() for at in (0, 2)]
    for at in (0, 2):
        page.locator(f"{TABLE} input").nth(at).check()
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile("offset=25"))
    chosen.append(page.locator(f"{TABLE} th").first.inner_text())
    page.locator(f"{TABLE} input").first.check()
    expect(page.locator("[data-basket-count]")).to_contain_text("3 chosen")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download zip").click()
    with zipfile.ZipFile(waiting.value.path()) as bundle:
        names = [name.rpartition("/")[2].split(".")[0] for name in bundle.namelist()]
    assert sorted(names) == sorted([*chosen, "README", "MANIFEST"])
    page.get_by_role("button", name="Choose none").click()
    expect(page.locator("[data-basket-count]")).to_have_text("Choose frames to download")


def test_new_frames_appear_without_reload(make_page: MakePage, night_archive: RunningArchive) -> None:
    page = make_page("/?OBJECT=arrival")
    mark(page)
    expect(page.get_by_text("No frame meets all of these conditions.")).to_be_visible()
    key, body = "browser/arrival.fits", image(card("OBJECT", "Arrival"), card("DATE-OBS", "2026-04-16T05:00:00"))
    night_archive.s3.put_object(Bucket=night_archive.bucket, Key=key, Body=body)
    night_archive.wait_for_frame(key)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # else it looks every ten seconds
    expect(page.locator("#found")).to_have_text("1 frame")
    expect(page.get_by_role("rowheader", name="arrival")).to_be_visible()
    assert is_marked(page)
    night_archive.s3.delete_object(Bucket=night_archive.bucket, Key=key)


def test_downloads_have_the_frame_s_own_bytes(make_page: MakePage, night_archive: RunningArchive) -> None:
    frame = night_archive.get("/frames/", limit=1)["results"][0]
    page = make_page(f"/view/frame/{frame['id']}/")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename == frame["filename"]
    kept = night_archive.s3.get_object(Bucket=night_archive.bucket, Key=frame["key"])["Body"].read()
    assert waiting.value.path().read_bytes() == kept
