"""Frames and failures in the panel."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event, select

from functions.api.admin.view import ArchiveView
from shared.database import read
from shared.index.models import Failure
from tests.api.admin.conftest import Browser, texts
from tests.api.conftest import PutFrame, Sessions
from tests.api.test_failures import fail

HOSTILE = '<script>alert(\'"1")</script>'


@pytest.fixture
def stock(put: PutFrame) -> list[int]:
    return [
        put(key="a/m51-001.fits", basename="m51-001", object_name="M 51"),
        put(key="a/m51-002.fits", basename="m51-002", object_name="M 51", date_obs=None, night=None),
        put(key="b/hostile.fits", basename=HOSTILE, object_name=HOSTILE, notes=(HOSTILE,)),
    ]


def ids(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"/admin/frames/details/(\d+)", page)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [2, 1, 0]),
        ("?by=basename&search=M51", [1, 0]),
        ("?search=m51-002", [1]),
        ("?by=OBJECT&search=m%2051", [1, 0]),
        ("?by=key&search=a/", [0, 1]),
        ("?by=key&search=a/m51-002", [1]),
        ("?by=key&search=%25", []),
        ("?by=id&search=x", []),
        ("?by=nothing&search=m51-001", [0]),
    ],
)
def test_frames_are_searched(browser: Browser, stock: list[int], query: str, found: list[int]) -> None:
    page = browser.get(f"frames/list{query}")
    assert page.status_code == 200
    assert ids(page.text) == [stock[number] for number in found]


def test_a_frame_is_found_by_id(browser: Browser, stock: list[int]) -> None:
    assert ids(browser.get(f"frames/list?by=id&search={stock[1]}").text) == [stock[1]]
    assert ids(browser.get(f"frames/list?by=id&search={'9' * 18}").text) == []
    assert browser.get("frames/list?by=key&search=%00").status_code == 400


def test_a_frame_shows_its_preview_and_the_way_to_its_page(browser: Browser, stock: list[int]) -> None:
    page = browser.get(f"frames/details/{stock[0]}").text
    assert f'src="/frames/{stock[0]}/preview/"' in page
    assert f'href="/view/frame/{stock[0]}/"' in page
    assert "a/m51-001.fits" in page
    assert 'method="post"' not in page.replace('method="post" action="/accounts/logout/"', "")


def test_values_of_headers_are_shown_as_text(browser: Browser, stock: list[int], sessions: Sessions) -> None:
    fail(sessions, f"c/{HOSTILE}.fits", "truncated")
    for path in ("frames/list", f"frames/details/{stock[2]}", "failures/list"):
        page = browser.get(path).text
        assert "<script>" not in page
        assert "&lt;script&gt;alert(&#39;&#34;1&#34;)&lt;/script&gt;" in page


def test_frames_are_counted_by_sums_and_never_scanned(app: FastAPI, browser: Browser, stock: list[int]) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = app.state.services.engine
    event.listen(engine, "before_cursor_execute", note)
    for query in ("", "?search=m51", "?by=OBJECT&search=m", "?by=key&search=a/", "?page=2"):
        browser.get(f"frames/list{query}")
    event.remove(engine, "before_cursor_execute", note)
    counted = [text for text in asked if "count(" in text and re.search(r"FROM frames\b", text)]
    assert all(re.search(r"LIMIT \?\s*(OFFSET \?)?\) AS", text) for text in counted), counted
    assert asked
    assert not any(" LIKE " in text for text in asked)


def test_what_lies_beyond_reach_is_told(browser: Browser, stock: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ArchiveView, "reach", 1)
    assert "of more than 1" in texts(browser.get("frames/list?by=key&search=a/&pageSize=1").text)
    page = browser.get("frames/list?pageSize=1")
    assert "1 to 1 of 3" in texts(page.text)
    assert "page=2" not in page.text


def test_failures_are_filtered_and_tried_again(browser: Browser, sessions: Sessions) -> None:
    first, _ = fail(sessions, "a/1.fits", "truncated"), fail(sessions, "b/2.fits", "not-fits")
    page = browser.get("failures/list?kind=truncated").text
    assert "a/1.fits" in page
    assert "b/2.fits" not in page
    assert "b/2.fits" in browser.get("failures/list?prefix=b/").text
    assert "a/1.fits is too short" in browser.get(f"failures/details/{first}").text
    answer = browser.post(f"failures/{first}/retry", back="kind=truncated")
    assert answer.headers["location"] == "/admin/failures/list?kind=truncated&news=asked"
    with read(sessions) as session:
        due = session.scalars(select(Failure.key).where(Failure.retry_at.is_not(None))).all()
    assert due == ["a/1.fits"]
    assert browser.post("failures/0/retry").headers["location"].endswith("news=gone")


def test_the_first_page_counts(browser: Browser, stock: list[int], sessions: Sessions) -> None:
    fail(sessions, "a/1.fits")
    page = texts(browser.get("").text)
    for told in ("1 Accounts", "0 Tokens", "1 Sessions", "3 Frames", "1 Failures"):
        assert told in page
