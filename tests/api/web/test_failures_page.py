"""The page of failures, for staff."""

import pytest
from starlette.testclient import TestClient

from functions.api.csrf import FIELD
from shared.accounts.account import Role
from shared.index.models import Failure
from tests.api.conftest import Sessions
from tests.api.test_failures import fail
from tests.api.web.conftest import MakeBrowser
from tests.api.web.reader import Reader

PATH = "/view/failures/"
HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture
def staff(make_browser: MakeBrowser) -> TestClient:
    return make_browser(Role.STAFF)


def retried(sessions: Sessions) -> set[int]:
    with sessions() as session:
        return {row.id for row in session.query(Failure).where(Failure.retry_at.is_not(None))}


def test_it_is_for_staff(browser: TestClient, staff: TestClient, anonymous: TestClient) -> None:
    assert browser.get(PATH).status_code == 403
    assert browser.post(PATH, data={FIELD: browser.cookies["csrftoken"], "failure": "1"}).status_code == 403
    assert anonymous.get(PATH).status_code == 302
    page = staff.get(PATH)
    assert page.status_code == 200
    assert "every object that the archive has looked at is a frame" in page.text


def test_failures_are_shown_filtered_and_paged(staff: TestClient, sessions: Sessions) -> None:
    ids = [fail(sessions, f"a/{n}.fits") for n in range(3)] + [fail(sessions, f"b/{HOSTILE}.fits", "not-fits")]

    def shown(query: str) -> list[int]:
        buttons = Reader(staff.get(PATH + query).text).all("button", name="failure")
        return [int(str(button["value"])) for button in buttons]

    assert shown("") == ids[::-1]
    assert shown("?kind=not-fits&prefix=") == [ids[3]]
    assert shown("?prefix=a/") == ids[2::-1]
    assert shown("?prefix=a/&limit=2") == [ids[2], ids[1]]
    (behind,) = Reader(staff.get(PATH + "?prefix=a/&limit=2").text).all("a", rel="next")
    assert shown(str(behind["href"]).removeprefix(PATH)) == [ids[0]]
    page = staff.get(PATH).text
    assert HOSTILE not in page
    assert "b/&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;.fits is too short" in page
    assert '<option value="truncated">truncated (3)</option>' in page
    assert "No failures here." in staff.get(PATH + "?kind=unheard-of").text
    assert staff.get(PATH + "?limit=x").status_code == 400


def test_one_or_all_are_tried_again(staff: TestClient, sessions: Sessions) -> None:
    ids = [fail(sessions, f"a/{n}.fits") for n in range(3)]
    token = staff.cookies["csrftoken"]
    assert staff.post(PATH, data={"failure": ids[0]}).status_code == 403
    assert retried(sessions) == set()
    answer = staff.post(PATH + "?prefix=a/", data={FIELD: token, "failure": ids[0]})
    assert (answer.status_code, answer.headers["location"]) == (303, PATH + "?prefix=a%2F")
    assert retried(sessions) == {ids[0]}
    hidden = Reader(staff.get(PATH).text).all("input", name="failure", type="hidden")
    assert staff.post(PATH, data={FIELD: token, "failure": [str(one["value"]) for one in hidden]}).status_code == 303
    assert retried(sessions) == set(ids)


@pytest.mark.parametrize(("value", "status"), [("x", 400), ("-1", 400), ("9" * 40, 303), ("12345678", 303)])
def test_what_is_no_failure_is_not_tried(staff: TestClient, sessions: Sessions, value: str, status: int) -> None:
    fail(sessions, "a.fits")
    assert staff.post(PATH, data={FIELD: staff.cookies["csrftoken"], "failure": value}).status_code == status
    assert retried(sessions) == set()
