import datetime as dt
import hashlib
import io
import json
import os
import random
import re
import subprocess
import zipfile
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.bundle.inside import RESERVED
from shared.simulator import simulate_frame
from tests.api.cutting import cutting_door
from tests.archive import ADMIN_PASSWORD, RunningArchive
from tests.parts import need_program

NAME = re.compile(r"pyobsdata-[0-9]{8}")
KEYS = ["zip/a/one.fits", "zip/a/same.fits", "zip/b/same.fits", "zip/with blank+%41.fits.fz", "zip/größe.fits"]
ANONYMOUS = {"Authorization": ""}

pytestmark = pytest.mark.archive


@pytest.fixture(scope="module")
def contents(archive: RunningArchive) -> dict[str, bytes]:
    found = {}
    for number, key in enumerate(KEYS):
        found[key] = simulate_frame(OBJECT="zipped", number=number + 1, seed=number).data
        archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=found[key])
    for key in KEYS:
        archive.wait_for_frame(key)
    return found


@pytest.fixture(scope="module")
def ids(archive: RunningArchive, contents: dict[str, bytes]) -> list[int]:
    by_key = {frame["key"]: frame["id"] for frame in archive.frames(OBJECT="zipped")}
    return [by_key[key] for key in KEYS]


def files(data: bytes) -> dict[str, bytes]:
    """Check a zip; return its files by name, without the folder that all of them are in."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = [name.split("/") for name in archive.namelist()]
        assert all(len(parts) == 2 and NAME.fullmatch(parts[0]) for parts in names)
        found = {info.filename.split("/")[1]: archive.read(info) for info in archive.infolist()}
    assert not found or all(found.pop(name, b"") for name in RESERVED)
    return found


def named(contents: dict[str, bytes]) -> dict[str, bytes]:
    """Return what `files` should find, in the order of the observations."""
    return dict(
        zip(
            ["one.fits", "same.fits", "same-2.fits", "with blank+%41.fits.fz", "größe.fits"],
            contents.values(),
            strict=True,
        )
    )


def get(archive: RunningArchive, query: str = "OBJECT=zipped", **headers: str) -> httpx.Response:
    return archive.http.get(f"/frames/zip/?{query}", headers={name.replace("_", "-"): v for name, v in headers.items()})


@pytest.mark.parametrize("path", ["/frames/zip/", "/zip/"])
def test_a_query_as_a_zip(archive: RunningArchive, contents: dict[str, bytes], path: str) -> None:
    answer = archive.http.get(f"{path}?OBJECT=zipped")
    assert answer.status_code == 200
    assert list(files(answer.content).items()) == list(named(contents).items())
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "transfer-encoding" not in answer.headers
    assert re.fullmatch(r"attachment; filename=pyobsdata-[0-9]{8}\.zip", answer.headers["content-disposition"])
    assert answer.headers.get_list("set-cookie") == ["fileDownload=true; Path=/"]
    assert answer.headers["accept-ranges"] == "bytes"
    assert re.fullmatch(r'"[0-9a-f]{32}-[0-9]{8}"', answer.headers["etag"])
    assert parsedate_to_datetime(answer.headers["last-modified"]) <= dt.datetime.now(dt.UTC)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "x-left-out" not in answer.headers


def test_the_same_frames_make_the_same_zip(archive: RunningArchive, contents: dict[str, bytes]) -> None:
    first, second = get(archive), get(archive)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    other = get(archive, "OBJECT=zipped&order=desc")
    assert other.headers["etag"] != first.headers["etag"]
    assert next(iter(files(other.content))) == "größe.fits"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("OBJECT=zipped&limit=2", 2),
        ("OBJECT=zipped&limit=2&offset=4", 1),
        ("OBJECT=zipped&limit=0", 0),
        ("OBJECT=zipped&limit=5000", 5),
        ("OBJECT=nothing-of-this-name", 0),
        ("OBJECT=zipped&basename=same", 2),
    ],
)
def test_filters_and_paging_hold(
    archive: RunningArchive, contents: dict[str, bytes], query: str, expected: int
) -> None:
    answer = get(archive, query)
    assert answer.status_code == 200
    assert len(files(answer.content)) == expected


def test_no_filter_means_every_frame(archive: RunningArchive, contents: dict[str, bytes]) -> None:
    head = archive.http.head("/frames/zip/")
    assert head.status_code == 200
    count = archive.get("/frames/", limit=0)["count"]
    answer = get(archive, "sort=id")
    assert len(files(answer.content)) == count >= len(contents)


@pytest.mark.parametrize(("query", "name"), [("sort=x", "sort"), ("order=x", "order"), ("night=x", "night")])
def test_bad_parameters_are_refused(archive: RunningArchive, query: str, name: str) -> None:
    answer = get(archive, query)
    assert (answer.status_code, answer.json()) == (400, {"detail": f"Invalid value for {name}."})


def test_head_tells_the_length_and_sends_nothing(archive: RunningArchive, contents: dict[str, bytes]) -> None:
    answer, head = get(archive), archive.http.head("/frames/zip/?OBJECT=zipped", headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "etag", "accept-ranges", "content-disposition", "content-type"):
        assert head.headers[name] == answer.headers[name]


def test_any_range_is_that_slice(archive: RunningArchive, contents: dict[str, bytes]) -> None:
    whole = get(archive).content
    chance = random.Random(6)
    for _ in range(25):
        first = chance.randrange(len(whole))
        last = chance.randrange(first, len(whole) + 10)
        answer = get(archive, range=f"bytes={first}-{last}")
        assert answer.status_code == 206
        assert answer.content == whole[first : last + 1]
        end = min(last, len(whole) - 1)
        assert answer.headers["content-range"] == f"bytes {first}-{end}/{len(whole)}"
        assert int(answer.headers["content-length"]) == len(answer.content)
    assert get(archive, range=f"bytes={len(whole) - 5}-").content == whole[-5:]
    assert get(archive, range="bytes=-22").content == whole[-22:]
    assert get(archive, range=f"bytes=-{10 * len(whole)}").content == whole
    assert get(archive, range="bytes=0-").status_code == 206


@pytest.mark.parametrize("value", ["bytes=0-1,5-6", "bytes=5-1", "bytes=a-b", "items=0-1", "bytes=-", "0-1"])
def test_a_range_that_is_not_understood_is_ignored(
    archive: RunningArchive, contents: dict[str, bytes], value: str
) -> None:
    answer = get(archive, range=value)
    assert answer.status_code == 200
    assert len(files(answer.content)) == len(contents)


@pytest.mark.parametrize("value", ["bytes=999999999999-", "bytes=-0"])
def test_a_range_beyond_the_end(archive: RunningArchive, contents: dict[str, bytes], value: str) -> None:
    answer = get(archive, range=value)
    length = archive.http.head("/frames/zip/?OBJECT=zipped").headers["content-length"]
    assert (answer.status_code, answer.json()) == (416, {"detail": "No such range."})
    assert answer.headers["content-range"] == f"bytes */{length}"


def test_a_resumed_download_is_of_one_zip(archive: RunningArchive, contents: dict[str, bytes]) -> None:
    whole = get(archive)
    etag = whole.headers["etag"]
    assert get(archive, range="bytes=9-", if_range=etag).content == whole.content[9:]
    for other in (f"W/{etag}", '"x"', "Sat, 21 Nov 2026 20:00:00 GMT", etag.replace("-2", "-1")):
        answer = get(archive, range="bytes=9-", if_range=other)
        assert (answer.status_code, answer.content) == (200, whole.content)


@pytest.mark.parametrize("form", ["frame_ids[]", "frame_ids"])
def test_frames_by_id_as_form(archive: RunningArchive, contents: dict[str, bytes], ids: list[int], form: str) -> None:
    wanted = [ids[3], ids[0], ids[3]]
    answer = archive.http.post("/frames/zip/", data={form: wanted})
    assert answer.status_code == 200
    expected = [("with blank+%41.fits.fz", contents[KEYS[3]]), ("one.fits", contents[KEYS[0]])]
    assert list(files(answer.content).items()) == expected
    assert answer.headers.get_list("set-cookie") == ["fileDownload=true; Path=/"]
    part = archive.http.post("/zip/", data={form: wanted}, headers={"Range": "bytes=100-"})
    assert (part.status_code, part.content) == (206, answer.content[100:])


@pytest.mark.parametrize(
    "body",
    [
        lambda ids: {"json": {"frame_ids": ids}},
        lambda ids: {"json": {"frame_ids[]": [str(i) for i in ids]}},
        lambda ids: {"json": ids},
        lambda ids: {"files": [("frame_ids[]", (None, str(i))) for i in ids]},
    ],
    ids=["json", "json of texts", "bare json list", "multipart"],
)
def test_frames_by_id_in_other_bodies(
    archive: RunningArchive, contents: dict[str, bytes], ids: list[int], body: Callable[[list[int]], dict[str, Any]]
) -> None:
    answer = archive.http.post("/frames/zip/", **body(ids))
    assert answer.status_code == 200
    assert files(answer.content) == named(contents)


@pytest.mark.parametrize("ids_of_body", [{}, {"frame_ids[]": []}, {"something": "else"}])
def test_no_ids_is_an_empty_zip(archive: RunningArchive, ids_of_body: dict[str, Any]) -> None:
    answer = archive.http.post("/frames/zip/", data=ids_of_body)
    assert (answer.status_code, files(answer.content)) == (200, {})
    assert len(answer.content) == 22
    answer = archive.http.post("/frames/zip/", json={"frame_ids": []})
    assert files(answer.content) == {}


@pytest.mark.parametrize("unknown", ["999999999", "0", "-1", "x", "", "1.5", "9" * 29, "9" * 500, "١"])
def test_an_unknown_id_is_not_found(archive: RunningArchive, ids: list[int], unknown: str) -> None:
    answer = archive.http.post("/frames/zip/", data={"frame_ids[]": [str(ids[0]), unknown]})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"json": {"frame_ids": [True]}}, 400),
        ({"json": {"frame_ids": [[1]]}}, 400),
        ({"json": {"frame_ids": [1.5]}}, 400),
        ({"json": "x"}, 400),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"content": b"frame_ids[]=1"}, 415),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}}, 400),
        ({"content": b"x" * (8 << 20) + b"y", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 413),
    ],
)
def test_bodies_that_cannot_be_read(archive: RunningArchive, body: dict[str, Any], status: int) -> None:
    answer = archive.http.post("/frames/zip/", **body)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    if status != 413:
        anonymous = archive.http.post("/frames/zip/", **(body | {"headers": body.get("headers", {}) | ANONYMOUS}))
        assert anonymous.status_code == 401


def test_the_form_may_carry_the_token(archive: RunningArchive, contents: dict[str, bytes], ids: list[int]) -> None:
    form = {"auth_token": archive.token, "frame_ids[]": ids}
    answer = archive.http.post("/frames/zip/", data=form, headers=ANONYMOUS)
    assert files(answer.content) == named(contents)
    answer = archive.http.post("/zip/", json={"auth_token": archive.token, "frame_ids": ids}, headers=ANONYMOUS)
    assert files(answer.content) == named(contents)
    assert archive.token not in archive.log("api")


@pytest.mark.parametrize(
    ("method", "form", "detail"),
    [
        ("POST", {"frame_ids[]": "999999999"}, "Authentication credentials were not provided."),
        ("POST", {"frame_ids[]": "999999999", "auth_token": "0" * 40}, "Invalid token."),
        ("POST", {"auth_token": ""}, "Invalid token."),
        ("GET", None, "Authentication credentials were not provided."),
        ("DELETE", None, "Authentication credentials were not provided."),
    ],
)
def test_nobody_gets_in_without_a_token(
    archive: RunningArchive, method: str, form: dict[str, str] | None, detail: str
) -> None:
    answer = archive.http.request(method, "/frames/zip/", data=form, headers=ANONYMOUS)
    assert (answer.status_code, answer.json()) == (401, {"detail": detail})
    assert answer.headers["www-authenticate"] == "Token"


def test_the_token_in_a_url_is_none(archive: RunningArchive) -> None:
    answer = archive.http.get("/frames/zip/", params={"auth_token": archive.token}, headers=ANONYMOUS)
    assert answer.status_code == 401


def test_other_methods_are_not_allowed(archive: RunningArchive) -> None:
    answer = archive.http.delete("/frames/zip/")
    assert (answer.status_code, answer.json()) == (405, {"detail": 'Method "DELETE" not allowed.'})
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_a_missing_slash_is_added(archive: RunningArchive) -> None:
    answer = archive.http.post("/frames/zip?x=1")
    assert (answer.status_code, answer.headers["location"]) == (301, "zip/?x=1")


def test_wget_as_the_documentation_of_the_predecessor_shows(
    archive: RunningArchive, contents: dict[str, bytes], ids: list[int], tmp_path: Path
) -> None:
    wget = need_program("wget", "Debian: apt install wget")
    unzip = need_program("unzip", "Debian: apt install unzip")
    form = f"auth_token={archive.token}&frame_ids[]={ids[0]}&frame_ids[]={ids[1]}"
    command = [wget, "--no-proxy", f"{archive.url}/frames/zip/", f"--post-data={form}", "-O", "data.zip"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    subprocess.run([unzip, "-q", "data.zip"], cwd=tmp_path, check=True, timeout=60)
    unpacked = {path.name: path.read_bytes() for path in tmp_path.glob("pyobsdata-*/*.fits")}
    assert unpacked == {"one.fits": contents[KEYS[0]], "same.fits": contents[KEYS[1]]}


def test_curl_and_wget_resume(archive: RunningArchive, contents: dict[str, bytes], tmp_path: Path) -> None:
    curl, wget = need_program("curl", "Debian: apt install curl"), need_program("wget", "Debian: apt install wget")
    token, url = f"Authorization: Token {archive.token}", f"{archive.url}/frames/zip/?OBJECT=zipped"
    whole = get(archive).content
    path, chance = tmp_path / "data.zip", random.Random(3)
    commands = [
        [curl, "--noproxy", "*", "-sS", "-f", "-H", token, "-C", "-", "-o", str(path), url],
        [wget, "--no-proxy", "-q", "-c", "--header", token, "-O", str(path), url],
    ]
    for number in range(20):
        path.write_bytes(whole[: chance.randrange(1, len(whole))])
        subprocess.run(commands[number % 2], check=True, timeout=60)
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(whole).digest()


@pytest.mark.parametrize("program", ["curl", "wget"])
def test_a_line_that_breaks_twenty_times_brings_the_very_zip(
    archive: RunningArchive, contents: dict[str, bytes], tmp_path: Path, program: str
) -> None:
    command = need_program(program, f"Debian: apt install {program}")
    whole, chance, path = get(archive).content, random.Random(20), tmp_path / "data.zip"
    token = f"Authorization: Token {archive.token}"
    options = {
        "curl": ["--noproxy", "*", "-sS", "-f", "-H", token, "-C", "-", "-o", str(path)],
        "wget": ["--no-proxy", "-q", "--tries=1", "-c", "--header", token, "-O", str(path)],
    }
    cuts = [chance.randrange(1200, len(whole) // 21) for _ in range(20)]
    waiting: list[int | None] = [*cuts, None]
    with cutting_door(archive.url, lambda: waiting.pop(0)) as door:
        url = f"{door}/frames/zip/?OBJECT=zipped"
        while waiting:
            done = subprocess.run([command, *options[program], url], check=False, timeout=60)
            assert (done.returncode == 0) == (not waiting)
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(whole).digest()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_lists_of_links_in_the_place_of_a_zip(
    archive: RunningArchive, contents: dict[str, bytes], ids: list[int], method: str
) -> None:
    def ask(name: str, **headers: str) -> httpx.Response:
        query, body = ("?OBJECT=zipped&sort=id", None) if method == "GET" else ("", {"frame_ids[]": sorted(ids)})
        name_of = f"{query}&format={name}" if method == "GET" else ""
        data = None if body is None else body | {"format": name}
        return archive.http.request(method, f"/frames/zip/{name_of}", data=data, headers=headers)

    told = ask("manifest")
    assert told.headers["content-type"] == "application/json"
    files_told = told.json()["files"]
    assert {file["id"] for file in files_told} == set(ids)
    for file in files_told:
        fetched = httpx.get(file["url"], headers=dict(archive.http.headers), follow_redirects=False, trust_env=False)
        assert fetched.status_code == 302
        assert (
            hashlib.sha256(httpx.get(fetched.headers["location"], trust_env=False).content).hexdigest()
            == file["sha256"]
        )
    assert ask("manifest", accept="text/csv").text.startswith("file,id,bytes,sha256,")
    assert ask("csv").headers["content-type"].startswith("text/csv")
    assert ask("aria2").text.count("out=") == len(ids)
    assert ask("tar").json() == {"detail": "Invalid value for format."}
    for name in ("manifest", "csv", "wget", "aria2"):
        assert archive.token not in ask(name).text


def test_the_script_fetches_every_frame(archive: RunningArchive, contents: dict[str, bytes], tmp_path: Path) -> None:
    need_program("wget", "Debian: apt install wget")
    script = get(archive, "OBJECT=zipped&format=wget").content
    environment = {"PATH": os.environ["PATH"], "FITSVAULT_TOKEN": archive.token, "no_proxy": "*"}
    for _ in range(2):
        subprocess.run(["sh"], input=script, cwd=tmp_path, env=environment, check=True, timeout=60)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == named(contents)


def test_aria2_fetches_every_frame(archive: RunningArchive, contents: dict[str, bytes], tmp_path: Path) -> None:
    command = need_program("aria2c", "Debian: apt install aria2")
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "frames.aria2").write_bytes(get(archive, "OBJECT=zipped&format=aria2").content)
    told = ["--header", f"Authorization: Token {archive.token}", "--input-file", str(tmp_path / "frames.aria2")]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "no_proxy": "127.0.0.1"}

    def fetch() -> None:
        command_line = [command, "--no-conf", *told]
        subprocess.run(command_line, cwd=work, env=environment, check=True, capture_output=True, timeout=60)
        assert {path.name: path.read_bytes() for path in work.iterdir()} == named(contents)

    fetch()
    fetch()
    cut = next(path for path in work.iterdir() if path.stat().st_size)
    cut.write_bytes(cut.read_bytes()[:-1])
    fetch()


def test_the_log_tells_of_each_zip(archive: RunningArchive, contents: dict[str, bytes]) -> None:
    get(archive, "OBJECT=zipped&limit=3")
    lines = [json.loads(line) for line in archive.log("api").splitlines() if '"zip"' in line]
    assert lines[-1]["frames"] == 3
    assert lines[-1]["bytes"] > 0


def test_a_session_needs_its_form_token(archive: RunningArchive, contents: dict[str, bytes], ids: list[int]) -> None:
    with httpx.Client(base_url=archive.url, trust_env=False, timeout=30) as browser:
        browser.get("/accounts/login/")
        form = {"username": "admin", "password": ADMIN_PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post("/accounts/login/", data=form).status_code == 302
        assert files(browser.get("/frames/zip/?OBJECT=zipped").content) == named(contents)
        assert browser.post("/frames/zip/", data={"frame_ids[]": ids}).status_code == 403
        with_token = {"frame_ids[]": ids, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert files(browser.post("/frames/zip/", data=with_token).content) == named(contents)
        by_header = {"X-CSRFToken": browser.cookies["csrftoken"]}
        assert files(browser.post("/frames/zip/", json=ids, headers=by_header).content) == named(contents)
        assert browser.post("/frames/zip/", data={"auth_token": "0" * 40, "frame_ids[]": ids}).status_code == 401
