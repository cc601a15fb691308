"""What tests, pictures and the benchmark of the page all do: start Chromium, log in, wait for what is in sight."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from tests.archive import ADMIN_PASSWORD

__all__ = ["HOW", "chromium_path", "log_in", "running_chromium", "wait_for_previews"]

HOW = "no Chromium: install the Debian package `chromium`, or Chrome"
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PREVIEWS_ARE_THERE = """() => [...document.images]
    .filter((image) => { const box = image.getBoundingClientRect(); return box.top < innerHeight && box.bottom > 0; })
    .every((image) => image.complete && image.naturalWidth > 0)"""


def chromium_path() -> str | None:
    """Return where Chromium is; None if it is nowhere on PATH."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


@contextmanager
def running_chromium(path: str) -> Iterator[Browser]:
    """Run a browser for the length of the block, in which no other event loop can run in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


def log_in(page: Page) -> None:
    """Fill in the form that the page shows, as the superuser, and send it."""
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()


def wait_for_previews(page: Page) -> None:
    """Return when all pictures in sight are there."""
    page.wait_for_function(_PREVIEWS_ARE_THERE)
