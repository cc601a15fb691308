"""The page of uploads, as the server makes it; what its scripts do is tested with a browser."""

from starlette.testclient import TestClient

from functions.api.csrf import FIELD
from shared.accounts.account import Role
from tests.api.web.conftest import MakeBrowser
from tests.api.web.reader import Reader

PATH = "/view/upload/"


def test_it_is_for_staff(browser: TestClient, anonymous: TestClient, make_browser: MakeBrowser) -> None:
    assert browser.get(PATH).status_code == 403
    assert anonymous.get(PATH).headers["location"] == "/accounts/login/?next=/view/upload/"
    assert make_browser(Role.STAFF).get(PATH).status_code == 200


def test_its_scripts_may_write_to_the_store_and_those_of_others_may_not(make_browser: MakeBrowser) -> None:
    staff = make_browser(Role.STAFF)
    store = "connect-src 'self' http://127.0.0.1:9;"
    assert store in staff.get(PATH).headers["content-security-policy"]
    assert store not in staff.get("/").headers["content-security-policy"]


def test_without_scripts_a_form_sends_files_through_the_archive(make_browser: MakeBrowser) -> None:
    staff = make_browser(Role.STAFF)
    page = Reader(staff.get(PATH).text)
    (form,) = page.all("form", action="/frames/create/")
    assert form["enctype"] == "multipart/form-data"
    token = page.all("input", name=FIELD)[0]["value"]
    answer = staff.post("/frames/create/", data={FIELD: token}, files={"files": ("", b"")})
    assert (answer.status_code, answer.json()) == (200, {"created": 0, "filenames": []})
