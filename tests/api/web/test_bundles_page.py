"""The page of bundles: orders from the search page, what has become of them, and how one is deleted."""

import datetime as dt

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from functions.api.csrf import FIELD
from shared.accounts.account import Role
from shared.bundle.jobs import State
from shared.database import utc_now, write
from shared.index.bundle_jobs import BundleJob
from tests.api.conftest import PutFrame, Sessions, make_client
from tests.api.web.conftest import MakeBrowser
from tests.api.web.reader import Reader

PATH = "/view/bundles/"
HOSTILE = "<script>alert(1)</script>"


def order(browser: TestClient, **fields: object) -> int:
    return int(browser.post(PATH, data={FIELD: browser.cookies["csrftoken"], **fields}).status_code)


def ordered(sessions: Sessions) -> list[BundleJob]:
    with sessions() as session:
        return list(session.query(BundleJob).order_by(BundleJob.created_at))


def become(sessions: Sessions, state: State, **values: object) -> None:
    with write(sessions) as session:
        for job in session.query(BundleJob):
            job.state = state
            for name, value in values.items():
                setattr(job, name, value)


def test_chosen_frames_are_ordered_and_shown(browser: TestClient, sessions: Sessions, put: PutFrame) -> None:
    ids = [put(key=f"{n}.fits", basename=str(n)) for n in range(3)]
    put(key="other.fits", basename="other")
    assert order(browser, **{"frame_ids[]": ids}) == 303
    (job,) = ordered(sessions)
    assert job.frame_ids == ids
    page = browser.get(PATH)
    assert page.headers["cache-control"] == "no-store"
    assert "3 frames" in page.text
    assert "Waits to be built" in page.text


def test_a_whole_search_is_ordered_as_its_page_asks(browser: TestClient, sessions: Sessions, put: PutFrame) -> None:
    ids = {put(key=f"{n}.fits", basename=str(n), object_name="M 51") for n in range(3)}
    put(key="other.fits", basename="other", object_name="M 33")
    reader = Reader(browser.get("/?OBJECT=M+51&limit=25").text)
    assert any(form["action"] == PATH for form in reader.all("form", method="post"))
    (query,) = reader.all("input", name="query")
    assert order(browser, query=query["value"]) == 303
    (job,) = ordered(sessions)
    assert set(job.frame_ids) == ids
    assert "OBJECT=M 51" in browser.get(PATH).text


def test_an_order_of_nothing_is_told(browser: TestClient, sessions: Sessions, put: PutFrame) -> None:
    frame = put(key="a.fits", basename="a")
    for fields, status, words in (
        ({}, 400, "No frame is chosen"),
        ({"frame_ids[]": [frame, 12345678]}, 404, "no longer in the archive"),
        ({"query": "OBJECT=nothing"}, 400, "No frame meets"),
    ):
        answer = browser.post(PATH, data={FIELD: browser.cookies["csrftoken"], **fields})
        assert (answer.status_code, words in answer.text) == (status, True)
        assert answer.headers["content-type"].startswith("text/html")
    assert ordered(sessions) == []


@pytest.mark.parametrize("path", [PATH, f"{PATH}{'0' * 32}/delete/"])
def test_a_form_that_is_not_ours_orders_nothing(
    browser: TestClient, anonymous: TestClient, sessions: Sessions, put: PutFrame, path: str
) -> None:
    frame = put(key="a.fits", basename="a")
    assert browser.post(path, data={"frame_ids[]": frame}).status_code == 403
    assert browser.post(path, data={"frame_ids[]": frame, FIELD: "0" * 64}).status_code == 403
    assert anonymous.post(path, data={"frame_ids[]": frame}).status_code == 401
    assert ordered(sessions) == []


def test_progress_end_and_what_was_left_out_are_shown(browser: TestClient, sessions: Sessions, put: PutFrame) -> None:
    order(browser, **{"frame_ids[]": [put(key="a.fits", basename="a", size=1000)]})
    become(sessions, State.BUILDING, done=340)
    page = browser.get(PATH).text
    assert [bar["value"] for bar in Reader(page).all("progress")] == ["34"]
    assert 'http-equiv="refresh"' in page
    left = [{"id": n, "filename": f"{HOSTILE}{n}", "reason": "it is gone"} for n in range(30)]
    become(sessions, State.READY, done=1000, left_out=left, expires_at=utc_now() + dt.timedelta(days=3))
    page = browser.get(PATH).text
    assert 'http-equiv="refresh"' not in page
    (job,) = ordered(sessions)
    assert Reader(page).all("a", href=f"/bundles/{job.id}/file/")
    assert "30 frames could not be put into it" in page
    assert page.count("it is gone") == 20
    assert HOSTILE not in page
    become(sessions, State.FAILED, reason=f"the store refused {HOSTILE}")
    page = browser.get(PATH).text
    assert "the store refused &lt;script&gt;" in page
    assert HOSTILE not in page


def test_a_bundle_is_deleted_and_those_of_others_are_not(
    browser: TestClient, make_browser: MakeBrowser, sessions: Sessions, put: PutFrame
) -> None:
    order(browser, **{"frame_ids[]": [put(key="a.fits", basename="a")]})
    (job,) = ordered(sessions)
    path = f"{PATH}{job.id}/delete/"
    other = make_browser(Role.STAFF)
    assert job.id not in other.get(PATH).text
    for client, state in ((other, State.QUEUED), (browser, State.DELETED), (browser, State.DELETED)):
        answer = client.post(path, data={FIELD: client.cookies["csrftoken"]})
        assert (answer.status_code, answer.headers["location"]) == (303, PATH)
        assert [one.state for one in ordered(sessions)] == [state]
    assert job.id not in browser.get(PATH).text
    assert "You have no bundles." in browser.get(PATH).text


def test_rest_orders_of_a_session_s_form_may_be_queries(browser: TestClient, put: PutFrame) -> None:
    put(key="a.fits", basename="a", object_name="M 51")
    fields = {FIELD: browser.cookies["csrftoken"], "OBJECT": "M 51"}
    assert browser.post("/bundles/", data=fields).status_code == 202


def test_rest_orders_with_a_form_s_token_may_be_queries(app: FastAPI, key: str, put: PutFrame) -> None:
    put(key="a.fits", basename="a", object_name="M 51")
    assert make_client(app).post("/bundles/", data={"auth_token": key, "OBJECT": "M 51"}).status_code == 202
