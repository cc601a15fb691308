"""What the predecessor's documentation shows, done with the programs that it names."""

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from astropy.io import fits
from PIL import Image

from shared.bundle.inside import RESERVED
from shared.simulator import simulate_frame
from tests.archive import ADMIN_PASSWORD, RunningArchive
from tests.parts import need_program

NIGHT = "2020-02-01"
COUNT = 3
PROGRAMS = ["curl", "wget", "http", "requests"]

Fetch = Callable[..., bytes]

pytestmark = pytest.mark.archive


@pytest.fixture(scope="module")
def sent(archive: RunningArchive) -> dict[int, bytes]:
    """The bytes of a night's frames, by id: plain, packed, and with a catalogue."""
    made = [
        simulate_frame(
            name=f"programs {number}.fits{ending}", number=number, catalog=number == 1, cards={"DAY-OBS": NIGHT}
        )
        for number, ending in enumerate(("", "", ".fz"))
    ]
    for frame in made:
        archive.s3.put_object(Bucket=archive.bucket, Key=frame.key, Body=frame.data)
    return {archive.wait_for_frame(frame.key)["id"]: frame.data for frame in made}


def run(folder: Path, *words: str) -> bytes:
    """Run a program that finds no settings of its own but those given, and return what it writes."""
    if words[0] == "http":
        program, *rest = str(Path(sys.executable).with_name("http")), "--ignore-stdin", *words[1:]
    else:
        program, *rest = need_program(words[0], f"install the package `{words[0]}`"), *words[1:]
    env = {"HOME": str(folder), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([program, *rest], cwd=folder, env=env, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, (words[0], done.returncode, done.stderr, done.stdout[:500])
    return done.stdout


def by_requests(url: str, headers: dict[str, str] | None = None, form: list[tuple[str, str]] | None = None) -> bytes:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request("POST" if form else "GET", url, headers=headers, data=form, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture(params=PROGRAMS)
def get(request: pytest.FixtureRequest, archive: RunningArchive, tmp_path: Path) -> Fetch:
    """Return a function that gets a path with a token in a header."""

    def fetch(path: str, header: str = "Authorization: Token") -> bytes:
        url, header = f"{archive.url}{path}", f"{header} {archive.token}"
        match request.param:
            case "curl":
                return run(tmp_path, "curl", "-sS", "-f", "-L", "-H", header, url)
            case "wget":
                return run(tmp_path, "wget", "-q", "--header", header, "-O", "-", url)
            case "http":
                return run(tmp_path, "http", "--follow", "--check-status", "--body", url, header)
        name, _, value = header.partition(": ")
        return by_requests(url, {name: value})

    return fetch


@pytest.fixture(params=PROGRAMS)
def post(request: pytest.FixtureRequest, archive: RunningArchive, tmp_path: Path) -> Fetch:
    """Return a function that posts a form."""

    def send(path: str, *fields: tuple[str, str]) -> bytes:
        url, body = f"{archive.url}{path}", "&".join(map("=".join, fields))
        match request.param:
            case "curl":
                return run(tmp_path, "curl", "-sS", "-f", "-d", body, url)
            case "wget":
                run(tmp_path, "wget", "-q", url, f"--post-data={body}", "-O", "posted")
                return (tmp_path / "posted").read_bytes()
            case "http":
                words = [f"{name}={value}" for name, value in fields]
                return run(tmp_path, "http", "--form", "--check-status", "--body", "POST", url, *words)
        return by_requests(url, form=list(fields))

    return send


def test_a_token(post: Fetch, archive: RunningArchive) -> None:
    answer = json.loads(post("/api-token-auth/", ("username", "admin"), ("password", ADMIN_PASSWORD)))
    assert list(answer) == ["token"]
    assert by_requests(f"{archive.url}/frames/?limit=0", {"Authorization": f"Token {answer['token']}"})


def test_a_token_for_json(archive: RunningArchive, tmp_path: Path) -> None:
    words = ("username=admin", f"password={ADMIN_PASSWORD}")
    assert json.loads(run(tmp_path, "http", "--body", f"{archive.url}/api-token-auth/", *words))["token"]


@pytest.mark.parametrize("header", ["Authorization: Token", "Authentication: Token", "Authorization: Bearer"])
def test_the_list(get: Fetch, sent: dict[int, bytes], header: str) -> None:
    answer = json.loads(get(f"/frames/?night={NIGHT}", header))
    assert answer["count"] == COUNT
    assert [frame["id"] for frame in answer["results"]] == list(sent)


def test_the_list_without_its_last_slash(get: Fetch, sent: dict[int, bytes]) -> None:
    assert json.loads(get(f"/frames?night={NIGHT}&limit=1&offset=1"))["results"][0]["id"] == list(sent)[1]


def test_the_options(get: Fetch, sent: dict[int, bytes]) -> None:
    answer = json.loads(get(f"/frames/aggregate/?night={NIGHT}"))
    assert answer["imagetypes"] == ["object"]
    assert answer["telescopes"] == ["1m0a"]


def test_the_information_of_an_image(get: Fetch, sent: dict[int, bytes]) -> None:
    for frame_id, data in sent.items():
        frame = json.loads(get(f"/frames/{frame_id}/"))
        assert (frame["id"], frame["size"]) == (frame_id, len(data))
        assert frame["url"] == f"frames/{frame_id}/download/"


def test_the_headers(get: Fetch, sent: dict[int, bytes]) -> None:
    found: list[dict[str, Any]] = json.loads(get(f"/frames/{min(sent)}/headers/"))["results"]
    assert [card["key"] for card in found] == sorted(card["key"] for card in found)
    assert {"key": "DAY-OBS", "value": NIGHT} in found


def test_the_preview(get: Fetch, sent: dict[int, bytes]) -> None:
    for frame_id in sent:
        with Image.open(io.BytesIO(get(f"/frames/{frame_id}/preview/"))) as picture:
            assert (picture.format, picture.width) == ("PNG", 200)


def test_the_catalog(get: Fetch, sent: dict[int, bytes]) -> None:
    plain, with_catalog, packed = sent
    rows = list(csv.DictReader(io.StringIO(get(f"/frames/{with_catalog}/catalog/").decode())))
    with fits.open(io.BytesIO(sent[with_catalog])) as hdus:
        table = hdus["CAT"].data
        assert [float(row["x"]) for row in rows] == pytest.approx(list(table["x"]))
        assert list(rows[0]) == table.names
    assert get(f"/frames/{plain}/catalog/") == get(f"/frames/{packed}/catalog/") == b""


def test_the_download(get: Fetch, sent: dict[int, bytes]) -> None:
    for frame_id, data in sent.items():
        assert hashlib.sha256(get(f"/frames/{frame_id}/download/")).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize(
    "words",
    [
        ("curl", "-sS", "-f", "-L", "-O", "-J", "-H"),
        ("wget", "-q", "--content-disposition", "--header"),
    ],
    ids=lambda words: words[0],
)
def test_the_download_under_its_name(
    archive: RunningArchive, sent: dict[int, bytes], tmp_path: Path, words: tuple[str, ...]
) -> None:
    for frame_id, data in sent.items():
        run(tmp_path, *words, f"Authorization: Token {archive.token}", f"{archive.url}/frames/{frame_id}/download/")
        name = archive.get(f"/frames/{frame_id}/")["filename"]
        assert (tmp_path / name).read_bytes() == data


@pytest.mark.parametrize(
    "words",
    [("curl", "-sS", "-f", "-L", "-C", "-", "-o", "part", "-H"), ("http", "-d", "-c", "-F", "-o", "part")],
    ids=lambda words: words[0],
)
def test_a_download_that_broke_off_goes_on(
    archive: RunningArchive, sent: dict[int, bytes], tmp_path: Path, words: tuple[str, ...]
) -> None:
    frame_id, data = next(iter(sent.items()))
    (tmp_path / "part").write_bytes(data[:5000])
    url, header = f"{archive.url}/frames/{frame_id}/download/", f"Authorization:Token {archive.token}"
    run(tmp_path, *words, *((header, url) if words[0] == "curl" else (url, header)))
    assert (tmp_path / "part").read_bytes() == data


def frames_in(bundle: zipfile.ZipFile) -> dict[str, bytes]:
    return {name: bundle.read(name) for name in bundle.namelist() if name.partition("/")[2] not in RESERVED}


def test_the_zip(post: Fetch, archive: RunningArchive, sent: dict[int, bytes]) -> None:
    ids = [("frame_ids[]", str(frame_id)) for frame_id in sent]
    with zipfile.ZipFile(io.BytesIO(post("/frames/zip/", ("auth_token", archive.token), *ids))) as bundle:
        assert bundle.testzip() is None
        assert sorted(frames_in(bundle).values()) == sorted(sent.values())
        folders = {name.partition("/")[0] for name in bundle.namelist()}
        names = {name.partition("/")[2] for name in frames_in(bundle)}
    assert len(folders) == 1
    assert names == {archive.get(f"/frames/{frame_id}/")["filename"] for frame_id in sent}


def test_the_zip_of_a_query(get: Fetch, sent: dict[int, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(get(f"/frames/zip/?night={NIGHT}"))) as bundle:
        assert sorted(frames_in(bundle).values()) == sorted(sent.values())
