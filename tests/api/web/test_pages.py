"""The pages as a browser without scripts gets them."""

import datetime as dt
import re
import socket
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from functions.api.app import create_app
from functions.api.csrf import FIELD
from functions.api.web.assets import asset_path
from shared.accounts.account import Role
from shared.database import write
from shared.index.frames import put_frame
from shared.index.record import LinkRecord
from tests.api.conftest import PutFrame, local_settings, make_client, make_key, running_app
from tests.api.web.conftest import MakeBrowser
from tests.api.web.reader import Reader
from tests.index.factory import make_record

HOSTILE = "<script>alert(1)</script>\"'&"


def ids(page: str) -> list[str | None]:
    return [box["value"] for box in Reader(page).all("input", type="checkbox", name="frame_ids[]")]


def test_who_is_not_logged_in_is_led_to_the_form_and_back(app: FastAPI, anonymous: TestClient, key: str) -> None:
    answer = anonymous.get("/?OBJECT=M+51&view=grid")
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        "/accounts/login/?next=/%3FOBJECT%3DM%2B51%26view%3Dgrid",
    )
    form = anonymous.get(answer.headers["location"])
    (target,) = Reader(form.text).all("input", name="next")
    assert target["value"] == "/?OBJECT=M+51&view=grid"
    fields = {"username": "ada", "password": "secret words", "next": target["value"]}
    fields[FIELD] = anonymous.cookies["csrftoken"]
    assert anonymous.post("/accounts/login/", data=fields).headers["location"] == "/?OBJECT=M+51&view=grid"


def test_a_search_shows_its_frames_the_newest_first(browser: TestClient, put: PutFrame) -> None:
    old = put(key="a.fits", basename="a", object_name="M 51", date_obs=dt.datetime(2026, 1, 1))
    new = put(key="b.fits", basename="b", object_name="M 51", date_obs=dt.datetime(2026, 1, 2))
    put(key="c.fits", basename="c", object_name="NGC 1")
    page = browser.get("/?OBJECT=m+51")
    assert page.status_code == 200
    assert ids(page.text) == [str(new), str(old)]
    assert ">2 frames</h2>" in page.text
    assert ids(browser.get("/?OBJECT=m+51&view=grid").text) == [str(new), str(old)]
    assert ids(browser.get("/?OBJECT=m+51&limit=1").text) == [str(new)]
    (following,) = Reader(browser.get("/?OBJECT=m+51&limit=1").text).all("a", rel="next")
    assert ids(browser.get(str(following["href"])).text) == [str(old)]


def test_options_have_counts_and_keep_what_was_chosen(browser: TestClient, put: PutFrame) -> None:
    for number, name in enumerate(("V", "V", "R")):
        put(key=f"{number}.fits", basename=str(number), filter_name=name, image_type="object")
    page = browser.get("/?FILTER=V")
    assert re.search(r'<option value="V" selected>V \(2\)</option>', page.text)
    assert re.search(r'<option value="R">R \(1\)</option>', page.text)
    page = browser.get("/?FILTER=H")
    assert re.search(r'<option value="H" selected>H \(0\)</option>', page.text)
    assert "No frame meets all of these conditions." in page.text


def test_a_form_s_empty_fields_are_left_out_of_the_url(browser: TestClient) -> None:
    answer = browser.get("/?night=&OBJECT=M+51&FILTER=&columns=OBJECT&columns=FILTER&offset=50")
    assert (answer.status_code, answer.headers["location"]) == (302, "/?OBJECT=M+51&columns=OBJECT,FILTER&offset=50")
    assert browser.get("/?OBJECT=").headers["location"] == "/"


def test_what_cannot_be_read_is_said_beside_its_field(browser: TestClient) -> None:
    page = browser.get("/?night=tomorrow")
    assert page.status_code == 400
    assert "Invalid value for night. A night is a date, such as 2026-11-25." in page.text
    (field,) = Reader(page.text).all("input", name="night")
    assert (field["value"], field["aria-invalid"]) == ("tomorrow", "true")


def test_a_page_behind_the_last_leads_back(browser: TestClient, put: PutFrame) -> None:
    for n in range(3):
        put(key=f"{n}.fits")
    answer = browser.get("/?offset=100&limit=2")
    assert "There are only 3" in answer.text
    assert {link["href"] for link in Reader(answer.text).all("a", rel="prev")} == {"/?limit=2&offset=1"}


def test_a_search_for_what_has_no_date_says_so_without_a_value(browser: TestClient) -> None:
    page = browser.get("/?undated=true&OBJECT=nothing").text
    assert '<span class="name">Frames without a date</span> <span aria-hidden' in page
    assert '<span class="name">Object</span> <bdi>nothing</bdi> <span aria-hidden' in page


def test_pictures_tell_raw_frames_from_reduced_ones(browser: TestClient, put: PutFrame) -> None:
    shown = {"filter_name": "V", "exposure_time": 30.0}
    put(key="raw.fits", basename="raw", reduction_level=0, date_obs=dt.datetime(2026, 1, 1), **shown)
    put(key="reduced.fits", basename="reduced", reduction_level=91, date_obs=dt.datetime(2026, 1, 2), **shown)
    assert re.findall(r'class="what">([^<]+)<', browser.get("/?view=grid").text) == ["V 30 s, level 91", "V 30 s"]


@pytest.mark.parametrize(("width", "is_smaller"), [(512, False), (1024, False), (4096, True)])
def test_a_preview_says_whether_it_is_smaller(
    browser: TestClient, put: PutFrame, width: int, *, is_smaller: bool
) -> None:
    frame_id = put(key="a.fits", basename="a", width=width, height=100)
    page = browser.get(f"/view/frame/{frame_id}/").text
    assert f"{width} × 100 pixels, row 1 at the bottom" in page
    assert ("the preview shows 1024 at most" in page) is is_smaller


def test_an_empty_archive_says_what_to_do(browser: TestClient) -> None:
    assert "This archive has no frames yet." in browser.get("/").text


@pytest.mark.parametrize("view", ["table", "grid"])
def test_hostile_values_stay_text(browser: TestClient, put: PutFrame, view: str) -> None:
    put(key=f"{HOSTILE}.fits", basename=HOSTILE, object_name=HOSTILE, filter_name=HOSTILE, site=HOSTILE)
    page = browser.get("/", params={"view": view, "OBJECT": HOSTILE.strip()})
    assert len(ids(page.text)) == 1
    assert "alert(1)" in page.text
    assert all("src" in script for script in Reader(page.text).all("script"))
    assert not any(name.startswith("on") for _, found in Reader(page.text).elements for name in found)


def test_pages_run_no_script_and_style_but_ours(browser: TestClient, put: PutFrame) -> None:
    frame_id = put(date_obs=None)
    for path in ("/", "/?view=sky", "/?view=nights", f"/view/frame/{frame_id}/", "/view/frame/999/"):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "unsafe" not in policy
        page = Reader(answer.text)
        assert not any("style" in found for _, found in page.elements)
        assert page.all("style") == []
        assert all(str(script["src"]).startswith("/static/") for script in page.all("script"))


def test_a_frame_has_a_page(browser: TestClient, put: PutFrame) -> None:
    frame_id = put(key="site/a.fits", basename="a", object_name="M 51", filename="a.fits")
    page = browser.get(f"/view/frame/{frame_id}/")  # the store does not answer here
    assert page.status_code == 200
    assert "M 51" in page.text
    assert "The object store does not answer just now." in page.text
    assert Reader(page.text).all("a", href=f"/frames/{frame_id}/download/")


def test_what_is_not_there_is_said_on_a_page(browser: TestClient) -> None:
    answer = browser.get("/view/frame/999/")
    assert answer.status_code == 404
    assert "There is no such thing" in answer.text


def test_a_store_that_hangs_does_not_keep_the_rest_of_a_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.api.dependencies._QUICK_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with running_app(local_settings(tmp_path, s3_endpoint_url=address)) as app:
            sessions = app.state.services.sessions
            with write(sessions) as session:
                frame_id = put_frame(session, make_record(object_name="M 51"))
            client = make_client(app, make_key(sessions, "ada"))
            assert client.get(f"/frames/{frame_id}/preview/").status_code == 503
            answer = client.get(f"/view/frame/{frame_id}/")
        assert (answer.status_code, "The object store does not answer just now." in answer.text) == (200, True)


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("POST", "/frames/zip/", 404, "Some of these frames are no longer in the archive."),
        ("GET", "/frames/99/download/", 404, "Not found."),
        ("GET", "/frames/zip/?night=x", 400, "Invalid value for night."),
        ("GET", "/view/nothing/", 404, "Not found."),
        ("GET", "/view/bundles/" + 32 * "0" + "/delete/", 405, "not allowed"),
    ],
)
def test_browsers_get_a_page_where_programs_get_json(
    browser: TestClient, method: str, path: str, status: int, said: str
) -> None:
    form = {"frame_ids[]": "99", "csrfmiddlewaretoken": browser.cookies["csrftoken"]} if method == "POST" else None
    for headers, kind in ((BROWSER, "text/html; charset=utf-8"), ({}, "application/json")):
        answer = browser.request(method, path, data=form, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
        assert said in answer.text or (kind == "application/json" and answer.json() == {"detail": "Not found."})


def test_whose_session_is_over_or_another_is_told_so(anonymous: TestClient, browser: TestClient) -> None:
    answer = anonymous.get("/frames/1/download/", headers=BROWSER)
    assert answer.status_code == 401
    assert Reader(answer.text).all("a", href="/accounts/login/")
    answer = browser.post("/frames/zip/", data={"csrfmiddlewaretoken": "0" * 64}, headers=BROWSER)
    assert (answer.status_code, "This form is too old" in answer.text) == (403, True)


@pytest.mark.parametrize("path", ["/", "/admin/", "/view/bundles/", "/frames/1/download/"])
def test_a_database_that_is_away_is_told_of_on_a_page(tmp_path: Path, path: str) -> None:
    app = create_app(local_settings(tmp_path))
    client = make_client(app)
    client.cookies["sessionid"] = 43 * "a"
    answer = client.get(path, headers=BROWSER)
    app.state.services.close()
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert Reader(answer.text).all("link", rel="stylesheet", href=asset_path("style.css"))


def test_pages_know_who_may_what(make_browser: MakeBrowser) -> None:
    links = {
        role: {str(link.get("href")) for link in Reader(make_browser(role).get("/").text).all("a")} for role in Role
    }
    for role in Role:
        assert ("/view/upload/" in links[role]) == ("/view/failures/" in links[role]) == (role >= Role.STAFF)
        assert ("/admin/" in links[role]) == (role >= Role.SUPERUSER)


def test_a_token_shows_pages_as_well(app: FastAPI, key: str) -> None:
    assert make_client(app, key).get("/").status_code == 200
    assert make_client(app, "0" * 40).get("/").status_code == 302


def test_below_a_prefix_all_links_have_it(app: FastAPI, browser: TestClient, put: PutFrame) -> None:
    frame_id = put()
    client = TestClient(app, base_url="http://archive.test", root_path="/prod", cookies=dict(browser.cookies))
    for path in ("/prod/", f"/prod/view/frame/{frame_id}/"):
        page = Reader(client.get(path).text)
        for tag, name in (("a", "href"), ("form", "action"), ("script", "src"), ("img", "src"), ("link", "href")):
            for found in page.all(tag):
                assert str(found[name]).startswith(("/prod/", "#")), found


def test_assets_may_be_kept_for_ever_under_today_s_name(anonymous: TestClient) -> None:
    page = Reader(anonymous.get("/accounts/login/").text)
    for path in (page.all("link", rel="stylesheet")[0]["href"], page.all("script", type="module")[0]["src"]):
        answer = anonymous.get(str(path))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        plain = anonymous.get(str(path), headers={"Accept-Encoding": "identity"})
        assert plain.content == answer.content
        name = str(path).rpartition("/")[2]
        assert anonymous.get(f"/static/{'0' * 16}/{name}").headers["cache-control"] == "no-cache"
    assert anonymous.get(f"/static/{'0' * 16}/main.py").status_code == 404
    assert anonymous.get(f"/static/{'0' * 16}/..%2fassets.py").status_code == 404


def test_frames_that_were_left_out_for_want_of_a_date_are_told(browser: TestClient, put: PutFrame) -> None:
    put(key="a.fits", basename="a", object_name="M 51")
    undated = put(key="b.fits", basename="b", object_name="M 51", date_obs=None)
    assert "1 more has no date" in browser.get("/?OBJECT=m+51").text
    assert ids(browser.get("/?OBJECT=m+51&undated=true").text)[:1] == [str(undated)]
    for query in ("?OBJECT=m+51&undated=true", "?OBJECT=ngc", "?OBJECT=m+51&start=2000-01-01"):
        assert "no date<" not in browser.get(f"/{query}").text


def test_a_frame_leads_to_what_was_made_of_it(browser: TestClient, put: PutFrame) -> None:
    raw = put(key="raw.fits", basename="raw")
    reduced = put(key="reduced.fits", basename="reduced", links=(LinkRecord("L1RAW", "raw"),))
    page = browser.get(f"/view/frame/{raw}/").text
    assert "Made from this frame" in page
    assert Reader(page).all("a", href=f"/view/frame/{reduced}/")
    assert "Made from this frame" not in browser.get(f"/view/frame/{reduced}/").text


@pytest.mark.parametrize("path", ["/", "/view/frame/1/", "/admin/"])
def test_pages_name_every_module_that_their_scripts_import(make_browser: MakeBrowser, path: str) -> None:
    browser = make_browser(Role.SUPERUSER)
    page = Reader(browser.get(path).text)
    named = {str(link["href"]) for link in page.all("link", rel="modulepreload")}
    (script,) = page.all("script", type="module")
    wanted, met = [str(script["src"])], set()
    while wanted:
        module = wanted.pop()
        met.add(module)
        imports = re.findall(r'^import\b[^;]*"\./([a-z]+\.js)";$', browser.get(module).text, re.MULTILINE)
        wanted += {f"{module.rpartition('/')[0]}/{name}" for name in imports} - met
    assert named == met
