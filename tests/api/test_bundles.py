"""Bundles that are ordered: by the archive as it runs, and as functions of AWS whose answers are short."""

import io
import json
import os
import re
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from mangum import Mangum

from functions.api.csrf import FIELD
from functions.api.stage import StagePrefix
from functions.bundle.handler import handle
from shared.bundle.calling import BundleCaller
from shared.bundle.factory import make_bundle_worker
from shared.bundle.inside import RESERVED
from shared.database import write
from shared.index.bundle_jobs import BundleJob
from shared.simulator import simulate_frame
from tests.api.conftest import make_client, make_key
from tests.api.gateways import GATEWAYS
from tests.api.zipstore import ZipStore, serving, zip_store
from tests.archive import RunningArchive, wait_until
from tests.parts import need_program

pytestmark = pytest.mark.archive

NAMES = ("bias.fits", "light.fits", "other.fits")


def files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        found = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    return {name: found[name] for name in found if name not in RESERVED}


class Clock:
    """What Lambda tells of a call: how much time is left."""

    def __init__(self, seconds: float = 300.0) -> None:
        self.end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self.end - time.monotonic()))


class TestRunning:
    """The archive on one machine builds what is ordered by itself."""

    @pytest.fixture(scope="class")
    @staticmethod
    def contents(archive: RunningArchive) -> dict[str, bytes]:
        found = {
            "bias.fits": simulate_frame(OBJECT="ordered").data,
            "light.fits": simulate_frame(OBJECT="ordered", L1BIAS="bias.fits", number=2).data,
            "other.fits": simulate_frame(OBJECT="ordered", number=3).data,
        }
        for name, data in found.items():
            archive.s3.put_object(Bucket=archive.bucket, Key=f"ordered/{name}", Body=data)
        for name in found:
            archive.wait_for_frame(f"ordered/{name}")
        return found

    @pytest.fixture(scope="class")
    @staticmethod
    def ids(archive: RunningArchive, contents: dict[str, bytes]) -> dict[str, int]:
        return {frame["filename"]: frame["id"] for frame in archive.frames(OBJECT="ordered")}

    @staticmethod
    def finished(archive: RunningArchive, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        document = answer.json()
        assert urljoin("/bundles/", answer.headers["location"]) == f"/{document['status_url']}"

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = archive.get(f"/{document['status_url']}")
            return found if found["state"] in ("ready", "failed") else None

        return wait_until("the bundle is built", look)

    @staticmethod
    def fetched(document: dict[str, Any]) -> dict[str, bytes]:
        answer = httpx.get(document["url"], trust_env=False)
        assert answer.status_code == 200, answer.text
        assert document["filename"] in answer.headers["content-disposition"]
        assert answer.headers["content-type"] == "application/zip"
        assert len(answer.content) == document["bytes"]
        return files(answer.content)

    def test_by_ids(self, archive: RunningArchive, contents: dict[str, bytes], ids: dict[str, int]) -> None:
        wanted = [ids["other.fits"], ids["light.fits"]]
        document = self.finished(archive, archive.http.post("/bundles/", json={"frame_ids": wanted}))
        assert (document["state"], document["frames"], document["progress"]) == ("ready", 2, 1.0)
        assert list(self.fetched(document)) == ["other.fits", "light.fits"]
        again = archive.http.post("/bundles/", json=wanted)
        assert again.json()["id"] == document["id"]
        assert again.json()["state"] == "ready"
        listed = archive.get("/bundles/")
        assert document["id"] in [one["id"] for one in listed["results"]]

    @pytest.mark.parametrize(
        "order",
        [
            {"params": {"OBJECT": "ordered", "order": "desc"}},
            {"json": {"query": "OBJECT=ordered&order=desc"}},
            {"json": {"query": {"OBJECT": "ordered", "order": "desc"}}},
            {"data": {"OBJECT": "ordered", "order": "desc"}},
        ],
    )
    def test_by_query(self, archive: RunningArchive, contents: dict[str, bytes], order: dict[str, Any]) -> None:
        document = self.finished(archive, archive.http.post("/bundles/", **order))
        assert document["asked"] == ["OBJECT=ordered", "order=desc"]
        assert self.fetched(document) == contents

    def test_with_what_the_headers_name(
        self, archive: RunningArchive, contents: dict[str, bytes], ids: dict[str, int]
    ) -> None:
        order = {"frame_ids": [ids["light.fits"]], "related": True}
        document = self.finished(archive, archive.http.post("/bundles/", json=order))
        assert list(self.fetched(document)) == ["light.fits", "bias.fits"]
        zipped = archive.http.post("/frames/zip/", json=order | {"related": "true"})
        assert list(files(zipped.content)) == ["light.fits", "bias.fits"]

    def test_the_file_waits_until_it_is_there(
        self, archive: RunningArchive, contents: dict[str, bytes], ids: dict[str, int], tmp_path: Path
    ) -> None:
        curl = need_program("curl", "Debian: apt install curl")
        wget = need_program("wget", "Debian: apt install wget")
        document = archive.http.post("/bundles/", json=[ids["bias.fits"]]).json()
        url, token = f"{archive.url}/{document['file_url']}", f"Authorization: Token {archive.token}"
        for number, command in enumerate(
            ([curl, "--noproxy", "*", "-sSfL", "-H", token, "-o"], [wget, "--no-proxy", "-q", "--header", token, "-O"])
        ):
            path = tmp_path / f"{number}.zip"
            subprocess.run([*command, str(path), url], check=True, timeout=60)
            assert files(path.read_bytes()) == {"bias.fits": contents["bias.fits"]}

    def test_deleted(self, archive: RunningArchive, ids: dict[str, int]) -> None:
        document = self.finished(archive, archive.http.post("/bundles/", json=list(ids.values())))
        path = f"/{document['status_url']}"
        assert archive.http.delete(path).status_code == 204
        assert archive.http.get(path).status_code == 404
        assert archive.http.delete(path).status_code == 404


@pytest.fixture
def zips(archive: RunningArchive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipStore]:
    with zip_store(archive, tmp_path_factory.mktemp("orders")) as found:
        yield found


def build(zips: ZipStore) -> dict[str, Any]:
    return handle({}, Clock(), make_bundle_worker(zips.settings, zips.sessions), BundleCaller(zips.settings))


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"json": {}}, 400),
        ({"json": {"frame_ids": [10**9]}}, 404),
        ({"json": {"frame_ids": ["x"]}}, 404),
        ({"json": {"query": "night=never"}}, 400),
        ({"json": {"query": "nigth=2026-04-15"}}, 400),
        ({"json": {"query": {"OBJECT": "m 51", "object": "m 51"}}}, 400),
        ({"json": {"query": 5}}, 400),
        ({"json": {"frame_ids": [1], "uncompress": "perhaps"}}, 400),
        ({"json": {"frame_ids": [[1]]}}, 400),
        ({"json": {"frame_ids": [True]}}, 400),
        ({"json": {"frame_ids": [1e300]}}, 400),
        ({"json": {"frame_ids": [1], "query": "night=2026-04-15"}}, 400),
        ({"json": [1], "params": {"night": "2026-04-15"}}, 400),
        ({"json": "x"}, 400),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415),
    ],
)
def test_orders_that_cannot_be_read(zips: ZipStore, order: dict[str, Any], status: int) -> None:
    answer = zips.client.post("/bundles/", **order)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]


def test_ids_and_a_query_are_two_orders(zips: ZipStore) -> None:
    frame = zips.put("both/a.fits", b"both")
    answer = zips.client.post("/bundles/", json={"frame_ids": [frame], "query": "OBJECT=both"})
    assert answer.json() == {"detail": "Give either frame_ids or a query: both were given."}
    for order in ({"frame_ids": [frame], "query": None}, {"frame_ids": None, "query": "basename=a"}):
        assert zips.client.post("/bundles/", json=order).status_code == 202, "what is null is not given"


def test_a_list_has_pages_and_states(zips: ZipStore) -> None:
    ids = [zips.client.post("/bundles/", json=[zips.put(f"listed/{n}.fits", b"x")]).json()["id"] for n in range(3)]
    build(zips)
    ids.append(zips.client.post("/bundles/", json=[zips.put("listed/later.fits", b"x")]).json()["id"])
    newest = ids[::-1]

    def listed(query: str) -> tuple[int, list[str]]:
        answer = zips.client.get(f"/bundles/{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()["count"], [found["id"] for found in answer.json()["results"]]

    assert listed("") == listed("?state=ALL") == listed("?limit=5000&offset=-1&state=") == (4, newest)
    assert listed("?limit=2") == (4, newest[:2])
    assert listed("?limit=2&offset=3") == (4, newest[3:])
    assert listed("?limit=0") == (4, [])
    assert listed("?state=queued") == (1, newest[:1])
    assert listed("?state=ready&limit=1&offset=1") == (3, newest[2:3])
    for query, detail in (
        ("?limit=x", "Invalid values for offset/limit."),
        ("?offset=", "Invalid values for offset/limit."),
        ("?state=perhaps", "Invalid value for state."),
        ("?state=deleted", "Invalid value for state."),
    ):
        answer = zips.client.get(f"/bundles/{query}")
        assert (answer.status_code, answer.json()) == (400, {"detail": detail})


def test_nobody_sees_the_bundles_of_others(zips: ZipStore) -> None:
    frame = zips.put("mine/a.fits", b"mine")
    path = zips.client.post("/bundles/", json=[frame]).json()["status_url"]
    other = make_client(zips.app, make_key(zips.sessions, "bob"))
    for answer in (other.get(f"/{path}"), other.delete(f"/{path}"), other.get(f"/{path}file/")):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert other.get("/bundles/").json() == {"count": 0, "results": []}
    assert other.post("/bundles/", json=[frame]).json()["status_url"] != path
    anonymous = make_client(zips.app)
    assert anonymous.get(f"/{path}").status_code == 401
    assert anonymous.get(f"/{path}file/?ticket=1.{'0' * 64}").status_code == 401
    assert zips.client.get(f"/{path}").status_code == 200


def test_who_waits_for_many_orders_no_more(zips: ZipStore) -> None:
    frames = [zips.put(f"many/{n}.fits", b"x") for n in range(21)]
    statuses = [zips.client.post("/bundles/", json=[frame]).status_code for frame in frames]
    assert statuses == [202] * 20 + [429]
    assert zips.client.post("/bundles/", json=[frames[0]]).status_code == 202
    assert build(zips)["built"] == 20
    assert zips.client.post("/bundles/", json=[frames[20]]).status_code == 202


def test_one_that_failed_says_why(zips: ZipStore) -> None:
    frame = zips.put("failing/a.fits", b"x")
    document = zips.client.post("/bundles/", json=[frame]).json()
    with write(zips.sessions) as session:
        session.get_one(BundleJob, document["id"]).state = "failed"
        session.get_one(BundleJob, document["id"]).reason = "the store refused"
    assert zips.client.get(f"/{document['status_url']}").json()["detail"] == "the store refused"
    answer = zips.client.get(f"/{document['file_url']}")
    assert (answer.status_code, "the store refused" in answer.json()["detail"]) == (502, True)


def test_one_that_the_store_removed_is_gone(zips: ZipStore) -> None:
    document = zips.client.post("/bundles/", json=[zips.put("removed/a.fits", b"x")]).json()
    build(zips)
    with write(zips.sessions) as session:
        key = str(session.get_one(BundleJob, document["id"]).key)
    zips.store.delete(zips.settings.derived_bucket, (key,))
    assert zips.client.get(f"/{document['file_url']}").status_code == 410


@pytest.mark.usefixtures("lambda_loop")
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_long_zip_on_lambda_is_built_and_fetched(zips: ZipStore, gateway: str) -> None:
    """Client, API function and bundle function, step by step; the link leads to the store."""
    data = {f"{n}.fits": os.urandom(3_000_000) for n in range(2)}
    ids = [zips.put(f"lambda/{name}", content) for name, content in data.items()]
    function: Any = Mangum(StagePrefix(zips.app), lifespan="off")
    make = GATEWAYS[gateway]
    form = "&".join([f"auth_token={zips.key}", *(f"frame_ids[]={frame}" for frame in ids)]).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    first = function(make("POST", "/frames/zip/", "", kind, form), None)
    location = header(first, "location")
    assert first["statusCode"] == 303
    assert re.fullmatch(r"\.\./\.\./bundles/[0-9a-f]{32}/file/\?ticket=[0-9]+\.[0-9a-f]{64}", location)
    assert zips.key not in location
    path, _, query = urljoin("/frames/zip/", location).partition("?")
    again = function(make("POST", "/frames/zip/", "", kind, form), None)
    assert header(again, "location").split("?")[0] == location.split("?")[0]
    assert build(zips) == {"built": 1, "removed": 0}
    second = function(make("GET", path, query), None)
    assert second["statusCode"] == 303
    fetched = httpx.get(header(second, "location"), trust_env=False)
    assert files(fetched.content) == data
    forged = function(make("GET", path, query[:-1] + ("0" if query[-1] != "0" else "1")), None)
    assert forged["statusCode"] == 401


@pytest.mark.usefixtures("lambda_loop")
def test_a_person_whose_zip_is_long_is_led_to_a_page(zips: ZipStore) -> None:
    """With a browser's own Accept and a session; programs are led to the file."""
    for n in range(2):
        zips.put(f"person/{n}.fits", os.urandom(3_000_000), object_name="person")
    browser = make_client(zips.app)
    fields = {"username": "ada", "password": "secret words", FIELD: ""}
    browser.get("/accounts/login/")
    assert browser.post("/accounts/login/", data=fields | {FIELD: browser.cookies["csrftoken"]}).status_code == 302
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    function: Any = Mangum(StagePrefix(zips.app), lifespan="off")

    def place(accept: str, **headers: str) -> str:
        told = {"Cookie": cookie, "Accept": accept} | headers
        return header(function(GATEWAYS["REST API"]("GET", "/frames/zip/", "OBJECT=person", told), None), "location")

    html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert place(html) == "../../view/bundles/"
    assert place("*/*").startswith("../../bundles/")
    assert place(html, Authorization=f"Token {zips.key}").startswith("../../bundles/")


@pytest.mark.usefixtures("lambda_loop")
def test_what_is_built_for_lambda_is_what_servers_send(zips: ZipStore) -> None:
    for n in range(2):
        zips.put(f"same/{n}.fits", os.urandom(6_000_000))
    function: Any = Mangum(StagePrefix(zips.app), lifespan="off")
    headers = {"Authorization": f"Token {zips.key}"}
    event = GATEWAYS["HTTP API"]("GET", "/frames/zip/", "sort=id", headers)
    location = header(function(event, None), "location")
    assert "ticket" not in location
    build(zips)
    link = zips.client.get(urljoin("/frames/zip/", location)).headers["location"]
    assert httpx.get(link, trust_env=False).content == zips.client.get("/frames/zip/?sort=id").content


def test_wget_gets_its_file_whatever_the_time_it_takes(
    zips: ZipStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on Lambda: each request waits for some time, and leads to itself."""
    monkeypatch.setattr("functions.api.routes.bundle_files._WAIT_SECONDS", 0.3)
    frame = zips.put("slow/a.fits", b"x" * 1000)
    document = zips.client.post("/bundles/", json=[frame]).json()
    once = zips.client.get(f"/{document['file_url']}")
    assert (once.status_code, once.headers["location"]) == (303, "?round=1")
    wget = need_program("wget", "Debian: apt install wget")
    with serving(zips.app) as url:
        command = [wget, "--no-proxy", "-q", "--header", f"Authorization: Token {zips.key}", "-O", "data.zip"]
        running = subprocess.Popen([*command, f"{url}/{document['file_url']}"], cwd=tmp_path)
        time.sleep(1)
        build(zips)
        assert running.wait(30) == 0
    assert files((tmp_path / "data.zip").read_bytes()) == {"a.fits": b"x" * 1000}


def test_the_function_is_called_as_soon_as_there_is_work(
    archive: RunningArchive, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door that takes what Lambda's Invoke takes."""
    calls: list[tuple[str, Message, Any]] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append((self.path, self.headers, json.loads(body)))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Door) as door:
        threading.Thread(target=door.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{door.server_port}")
        with zip_store(archive, tmp_path_factory.mktemp("called"), bundle_function="fitsvault-bundle") as zips:
            document = zips.client.post("/bundles/", json=[zips.put("called/a.fits", b"x")]).json()
        door.shutdown()
    ((path, headers, payload),) = calls
    assert path == "/2015-03-31/functions/fitsvault-bundle/invocations"
    assert headers["X-Amz-Invocation-Type"] == "Event"
    assert payload == {"bundle": document["id"]}


def test_the_function_goes_on_in_its_next_call(zips: ZipStore) -> None:
    frame = zips.put("deadline/a.fits", b"x")
    document = zips.client.post("/bundles/", json=[frame]).json()
    worker, caller = make_bundle_worker(zips.settings, zips.sessions), BundleCaller(zips.settings)
    assert handle({"bundle": document["id"]}, Clock(0.0), worker, caller)["removed"] == 0
    assert zips.client.get(f"/{document['status_url']}").json()["state"] == "queued"
    assert handle({"bundle": document["id"]}, Clock(), worker, caller) == {"built": 1, "removed": 0}
    assert handle({"bundle": document["id"]}, Clock(), worker, caller) == {"built": 0, "removed": 0}


def header(answer: dict[str, Any], name: str) -> str:
    """Return a header of an answer in any of the shapes that gateways take."""
    several = answer.get("multiValueHeaders") or {}
    found = {**{k.lower(): v[-1] for k, v in several.items()}, **{k.lower(): v for k, v in answer["headers"].items()}}
    return str(found[name])
