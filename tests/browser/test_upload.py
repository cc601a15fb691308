"""Uploads by the page: straight to the store, and what became of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from shared.simulator import simulate_frame
from tests.archive import RunningArchive, wait_until
from tests.browser.conftest import MakePage
from tests.browser.everybody import check_for_everybody
from tests.browser.steps import log_in

pytestmark = pytest.mark.archive
PREFIX = "from the browser ü/"


@pytest.fixture
def tidied(night_archive: RunningArchive) -> Iterator[RunningArchive]:
    """The archive, which other tests find as it was."""
    before = night_archive.get("/frames/", limit=0)["count"]
    yield night_archive
    keys = tuple(found.key for found in night_archive.store.walk(night_archive.bucket, prefix=PREFIX))
    night_archive.store.delete(night_archive.bucket, keys)
    wait_until("they are gone", lambda: night_archive.get("/frames/", limit=0)["count"] == before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two frames, one of them deeper, a file that is none, an empty one and a hidden one."""
    (tmp_path / "night" / "deep").mkdir(parents=True)
    for name in ("one.fits", "deep/two.fits"):
        (tmp_path / "night" / name).write_bytes(simulate_frame(name=f"browser-{Path(name).name}").data)
    (tmp_path / "night" / "<b>none.fits").write_bytes(b"no FITS at all")
    (tmp_path / "night" / "empty.fits").touch()
    (tmp_path / "night" / ".hidden").write_bytes(b"x")
    return tmp_path / "night"


def held(_route: Route) -> None:
    """Answer nothing."""


def row(page: Page, key: str) -> str:
    return f'#list li:has-text("{key}")'


@pytest.mark.parametrize("width", [1280, 390])
def test_a_folder_is_sent_and_told_of(make_page: MakePage, tidied: RunningArchive, folder: Path, width: int) -> None:
    page = make_page("/view/upload/", viewport={"width": width, "height": 800})
    page.get_by_label("Folder in the bucket").fill(PREFIX)
    expect(page.locator("#key-example")).to_have_text(f"m51.fits becomes {PREFIX}m51.fits")
    page.set_input_files("#folder", folder)
    expect(page.locator("#all-text")).to_have_text("3 of 4 sent, 2 indexed, 1 not indexed, 1 not sent")
    expect(page.locator("#list li")).to_have_count(4)
    expect(page.locator(row(page, "<b>none.fits"))).to_contain_text("Not indexed: not FITS: begins with 'no FITS")
    expect(page.locator(row(page, "empty.fits"))).to_contain_text("The file is empty.")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    check_for_everybody(page)
    frame = tidied.wait_for_frame(f"{PREFIX}night/deep/two.fits")
    page.locator(row(page, "two.fits")).get_by_role("link").click()
    page.wait_for_url(f"**/view/frame/{frame['id']}/")


def test_files_are_dropped(make_page: MakePage, tidied: RunningArchive, folder: Path) -> None:
    page = make_page("/view/upload/")
    page.get_by_label("Folder in the bucket").fill(PREFIX)
    data = list((folder / "one.fits").read_bytes())
    drop = page.evaluate_handle(
        """(data) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(data)], "dropped.fits"));
          return transfer;
        }""",
        data,
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": drop})
    expect(page.locator("#all-text")).to_have_text("1 of 1 sent, 1 indexed")
    assert tidied.frame_of(f"{PREFIX}dropped.fits")


def test_who_logs_in_anew_goes_on(make_page: MakePage, tidied: RunningArchive, folder: Path) -> None:
    page = make_page("/view/upload/", is_quiet=False, storage_state=None)
    log_in(page)
    other = page.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Log out").click()
    page.get_by_label("Folder in the bucket").fill(PREFIX)
    page.set_input_files("#files", folder / "one.fits")
    expect(page.locator(row(page, "one.fits"))).to_contain_text("You are logged out.")
    log_in(other)
    page.get_by_role("button", name="Try again: ").click()
    expect(page.locator(row(page, "one.fits"))).to_contain_text("Indexed")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/")


def test_a_large_file_goes_in_parts(make_page: MakePage, tidied: RunningArchive, folder: Path) -> None:
    """As one of more than 5 GiB would."""
    page = make_page("/view/upload/")
    page.route(
        re.compile("/uploads/$"),
        lambda route: route.continue_(post_data=json.dumps(route.request.post_data_json | {"multipart": True})),
    )
    page.get_by_label("Folder in the bucket").fill(PREFIX)
    with page.expect_request(lambda request: request.method == "PUT"):
        page.set_input_files("#files", folder / "one.fits")
    expect(page.locator("#all-text")).to_have_text("1 of 1 sent, 1 indexed")
    assert tidied.frame_of(f"{PREFIX}one.fits")


def test_one_that_is_stopped_is_sent_again(make_page: MakePage, tidied: RunningArchive, folder: Path) -> None:
    page = make_page("/view/upload/")
    page.get_by_label("Folder in the bucket").fill(PREFIX)
    page.route(re.compile("/uploads/$"), held)
    page.set_input_files("#files", folder / "one.fits")
    expect(page.locator("#list [data-state]").first).to_have_text(re.compile("Is sent"))
    page.locator("#stop-all").click()
    expect(page.locator("#list .file-state")).to_have_text("Stopped")
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#all-text")).to_have_text("1 of 1 sent, 1 indexed")


def test_who_leaves_too_early_is_asked(make_page: MakePage, tidied: RunningArchive, folder: Path) -> None:
    page = make_page("/view/upload/")
    page.route(re.compile("/uploads/$"), held)
    page.set_input_files("#files", folder / "one.fits")
    page.locator("#list").click(position={"x": 3, "y": 3})
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.reload()
    assert asked == ["beforeunload"]
    page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", "The store does not allow it"),
        (400, "EntityTooLarge", "The file has grown"),
        (418, "<script>", "The store refuses (418"),
    ],
)
def test_a_refusal_of_the_store_is_told_in_plain_words(
    make_page: MakePage, tidied: RunningArchive, folder: Path, status: int, code: str, words: str
) -> None:
    page = make_page("/view/upload/", is_quiet=False)
    store = str(tidied.settings.s3_endpoint_url)
    answer = f"<Error><Code>{code.replace('<', '&lt;')}</Code></Error>"
    headers = {"Access-Control-Allow-Origin": tidied.url, "Content-Type": "application/xml"}
    page.route(f"{store}/**", lambda route: route.fulfill(status=status, body=answer, headers=headers))
    page.set_input_files("#files", folder / "one.fits")
    expect(page.locator("#list .file-state")).to_contain_text(words)
    expect(page.locator("#all-text")).to_have_text("0 of 1 sent, 1 not sent")


def test_a_store_that_lets_no_page_write_is_told_of(make_page: MakePage, tidied: RunningArchive, folder: Path) -> None:
    page = make_page("/view/upload/", is_quiet=False)
    page.route(f"{tidied.settings.s3_endpoint_url}/**", lambda route: route.abort())
    page.set_input_files("#files", folder / "one.fits")
    expect(page.locator("#list .file-state")).to_contain_text(f"does not let pages of {tidied.url} write (CORS)")
