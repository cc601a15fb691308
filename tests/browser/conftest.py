"""A whole archive with a night of frames, and a real browser that looks at it."""

import datetime as dt
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState

from shared.simulator import simulate_night
from tests.archive import RunningArchive, running_archive, wait_until
from tests.browser.steps import HOW, chromium_path, log_in, running_chromium

NIGHT = dt.date(2026, 4, 15)
SHAPE = (160, 160)
PATIENCE_MS = 30_000


@dataclass
class Watched:
    """A page, and what went wrong on it."""

    page: Page
    problems: list[str] = field(default_factory=list)


MakePage = Callable[..., Page]


@pytest.fixture(scope="package")
def night_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    """An archive with one simulated night."""
    with running_archive(tmp_path_factory.mktemp("browser")) as archive:
        names = []
        for frame in simulate_night(night=NIGHT, shape=SHAPE):
            archive.s3.put_object(Bucket=archive.bucket, Key=frame.key, Body=frame.data)
            names.append(frame.key)
        wait_until("the night is indexed", lambda: archive.get("/frames/", limit=0)["count"] == len(names))
        yield archive


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of this folder, which are one process's (`tests/conftest.py`)."""
    path = chromium_path()
    if path is None:
        if os.environ.get("FITSVAULT_TESTS_NEED_ALL"):
            pytest.fail(HOW)
        pytest.skip(HOW)
    with running_chromium(path) as browser:
        yield browser


@pytest.fixture(scope="package")
def logged_in(chromium: Browser, night_archive: RunningArchive) -> StorageState:
    """The cookies of the superuser's session, from the form for logging in."""
    context = chromium.new_context(base_url=night_archive.url)
    page = context.new_page()
    page.goto("/")
    log_in(page)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def make_page(chromium: Browser, night_archive: RunningArchive, logged_in: StorageState) -> Iterator[MakePage]:
    """What opens a page of the archive; whatever its console complains of fails the test."""
    contexts: list[BrowserContext] = []
    watched: list[Watched] = []

    def make(path: str = "/", *, is_quiet: bool = True, **options: Any) -> Page:
        context = chromium.new_context(
            **{"base_url": night_archive.url, "storage_state": logged_in, "accept_downloads": True, **options}
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        one = Watched(context.new_page())
        if is_quiet:
            watched.append(one)
        one.page.on("console", lambda message: _note(one, message))
        one.page.on("pageerror", lambda error: one.problems.append(f"error: {error}"))
        one.page.goto(path)
        return one.page

    yield make
    for context in contexts:
        context.close()
    assert [problem for one in watched for problem in one.problems] == []


def _note(watched: Watched, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        watched.problems.append(f"{message.type}: {message.text} {message.location['url']}")
