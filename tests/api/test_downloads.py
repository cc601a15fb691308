"""Downloads by the clients that people use, from a running archive: nobody's token reaches the object store."""

import hashlib
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import anyio
import httpx
import pytest
from fastapi import FastAPI
from mangum import Mangum
from starlette.testclient import TestClient
from starlette.types import Message

from shared.database import write
from shared.index.frames import put_frame
from shared.simulator import simulate_frame
from shared.store.client import Store
from tests.api.conftest import local_settings, make_client, make_key, running_app
from tests.api.gateways import GATEWAYS
from tests.archive import RunningArchive
from tests.index.factory import make_record
from tests.parts import need_program

pytestmark = pytest.mark.archive

NAMES = ["plain.fits", "with blank.fits", "plus+percent%41.fits", "Ünïcode ü.fits", 'quote"semi;colon.fits']
FRAME = simulate_frame(catalog=True).data
WGET = {"User-Agent": "Wget/1.21.3"}


@pytest.fixture(scope="module", params=NAMES)
def frame(request: pytest.FixtureRequest, archive: RunningArchive) -> dict[str, str]:
    key = f"downloads/{request.param}"
    archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=FRAME)
    found: dict[str, str] = archive.wait_for_frame(key)
    return found


def link(archive: RunningArchive, frame: dict[str, str]) -> str:
    return f"{archive.url}/frames/{frame['id']}/download/"


def test_wget_with_a_header_gets_the_frame(archive: RunningArchive, frame: dict[str, str], tmp_path: Path) -> None:
    wget = need_program("wget", "apt install wget")
    token = f"Authorization: Token {archive.token}"
    common = [wget, "--quiet", "--no-config", "--no-proxy", "--header", token, link(archive, frame)]
    subprocess.run([*common, "-O", "frame.fits"], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "frame.fits").read_bytes() == FRAME
    named = tmp_path / "named"
    named.mkdir()
    subprocess.run([*common, "--content-disposition"], cwd=named, check=True, timeout=60)
    assert [path.read_bytes() for path in named.iterdir()] == [FRAME]


def test_wget_resumes(archive: RunningArchive, frame: dict[str, str], tmp_path: Path) -> None:
    wget = need_program("wget", "apt install wget")
    (tmp_path / "frame.fits").write_bytes(FRAME[:1000])
    command = [wget, "--quiet", "--no-config", "--no-proxy", "--continue", "-O", "frame.fits"]
    token = ["--header", f"Authorization: Token {archive.token}"]
    subprocess.run([*command, *token, link(archive, frame)], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "frame.fits").read_bytes() == FRAME


def test_curl_follows_to_the_store(archive: RunningArchive, frame: dict[str, str], tmp_path: Path) -> None:
    curl = need_program("curl", "apt install curl")
    token = ["-H", f"Authorization: Token {archive.token}"]
    command = [curl, "--silent", "--show-error", "--fail", "--noproxy", "*", "-L", "-OJ", *token]
    written = ["-w", "%{url_effective}", link(archive, frame)]
    answer = subprocess.run(
        [*command, *written], cwd=tmp_path, check=True, timeout=60, capture_output=True, text=True, errors="replace"
    )
    assert "X-Amz-Signature" in answer.stdout
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [FRAME]


def test_urllib_gets_the_frame(archive: RunningArchive, frame: dict[str, str]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(link(archive, frame), headers={"Authorization": f"Token {archive.token}"})
    with opener.open(request, timeout=30) as answer:
        assert answer.read() == FRAME
        assert answer.headers["Content-Length"] == str(len(FRAME))
        assert answer.headers["Set-Cookie"] == "fileDownload=true; Path=/"


@pytest.fixture(scope="module")
def store(archive: RunningArchive) -> Store:
    for bucket in ("streamframes", "streamderived"):
        archive.store.ensure_bucket(bucket)
    return archive.store


@pytest.fixture(scope="module")
def app(store: Store, archive: RunningArchive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    names = ("s3_endpoint_url", "s3_public_url", "s3_access_key", "s3_secret_key", "s3_region")
    same = {name: getattr(archive.settings, name) for name in names}
    home = tmp_path_factory.mktemp("streams")
    with running_app(local_settings(home, **same, bucket="streamframes", derived_bucket="streamderived")) as app:
        yield app


@pytest.fixture(scope="module")
def client(app: FastAPI) -> TestClient:
    return make_client(app, make_key(app.state.services.sessions, "ada"))


DATA = bytes(range(256)) * 20_000


@pytest.fixture
def path(app: FastAPI, store: Store) -> str:
    """Where a frame of 5 MB is downloaded from."""
    store.write_bytes("streamframes", "a/large.fits", DATA, "application/fits")
    seen = store.head("streamframes", "a/large.fits")
    record = make_record(
        bucket=seen.bucket, key=seen.key, etag=seen.etag, size=seen.size, last_modified=seen.last_modified
    )
    with write(app.state.services.sessions) as session:
        return f"/frames/{put_frame(session, record)}/download/"


def test_the_whole_is_streamed_with_its_name(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=WGET)
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(DATA).digest()
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["content-type"] == "image/fits"
    assert answer.headers["content-disposition"] == 'attachment; filename="large.fits"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].strip('"')
    assert answer.headers["last-modified"].endswith(" GMT")


def test_head_tells_all_and_sends_nothing(client: TestClient, path: str) -> None:
    answer = client.head(path, headers=WGET | {"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(DATA))


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=2097151-2097152", 2_097_151, 2_097_153),
        ("bytes=5000000-", 5_000_000, len(DATA)),
        ("bytes=-7", len(DATA) - 7, len(DATA)),
        ("bytes=1-99999999", 1, len(DATA)),
    ],
)
def test_a_range_is_that_part(client: TestClient, path: str, header: str, start: int, stop: int) -> None:
    etag = client.head(path, headers=WGET).headers["etag"]
    for condition in ({}, {"If-Range": etag}):
        answer = client.get(path, headers=WGET | {"Range": header} | condition)
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"
        assert answer.content == DATA[start:stop]


@pytest.mark.parametrize(
    "headers", [{"Range": "bytes=0-1,5-6"}, {"Range": "lines=1-2"}, {"Range": "bytes=0-9", "If-Range": '"other"'}]
)
def test_what_is_no_range_of_this_frame_is_the_whole(client: TestClient, path: str, headers: dict[str, str]) -> None:
    answer = client.get(path, headers=WGET | headers)
    assert (answer.status_code, len(answer.content)) == (200, len(DATA))


def test_a_range_beyond_the_end(client: TestClient, path: str) -> None:
    answer = client.get(path, headers=WGET | {"Range": f"bytes={len(DATA)}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(DATA)}")
    assert answer.json() == {"detail": "No such range."}


@pytest.mark.parametrize("agent", ["wget/1.0", "Python-urllib/3.11", "PYTHON-URLLIB/2"])
def test_such_clients_are_known_by_their_name(client: TestClient, path: str, agent: str) -> None:
    assert client.get(path, headers={"User-Agent": agent, "Range": "bytes=0-1"}).status_code == 206
    assert client.get(path + "?redirect=true", headers={"User-Agent": agent}).status_code == 302
    assert client.get(path + "?redirect=false", headers={"User-Agent": agent}).json()["size"] == len(DATA)


@pytest.mark.parametrize("agent", ["", "curl/8", "Mozilla/5.0", "xWget/1", "Wge"])
def test_others_get_the_link(client: TestClient, path: str, agent: str) -> None:
    assert client.get(path, headers={"User-Agent": agent}).status_code == 302


def test_an_object_that_is_another_or_gone_is_not_sent(client: TestClient, path: str, store: Store) -> None:
    store.write_bytes("streamframes", "a/large.fits", b"another", "application/fits")
    answer = client.get(path, headers=WGET)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    store.delete("streamframes", ("a/large.fits",))
    assert client.get(path, headers=WGET).status_code == 404


async def interrupted(app: FastAPI, path: str, key: str, after: int) -> tuple[list[Message], int]:
    """Ask for a download and take the object away after so many pieces; return what was sent."""
    sent: list[Message] = []
    store: Store = app.state.services.store

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == after:
            store.delete("streamframes", ("a/large.fits",))

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    headers = [(b"authorization", f"Token {key}".encode()), (b"user-agent", b"Wget/1")]
    await app(
        {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "root_path": ""},
        receive,
        send,
    )
    return sent, sum(len(message.get("body", b"")) for message in sent)


def test_a_transfer_that_fails_on_the_way_is_seen_to_fail(app: FastAPI, client: TestClient, path: str) -> None:
    key = client.headers["authorization"].split()[1]
    sent, length = anyio.run(interrupted, app, path, key, 1)
    assert sent[0]["status"] == 200
    assert 0 < length < len(DATA)
    assert sent[-1]["more_body"] is True


@pytest.mark.usefixtures("lambda_loop")
@pytest.mark.usefixtures("lambda_loop")
@pytest.mark.parametrize("gateway", sorted(GATEWAYS))
def test_on_lambda_small_parts_pass_and_large_ones_are_told_of(app: FastAPI, path: str, gateway: str) -> None:
    key = make_key(app.state.services.sessions, f"lambda-{gateway.replace(' ', '-')}")

    def ask(**headers: str) -> dict[str, object]:
        event = GATEWAYS[gateway]("GET", path, headers={"Authorization": f"Token {key}", **WGET, **headers})
        return dict(Mangum(app, lifespan="off")(event, object()))  # type: ignore[arg-type]

    whole = ask()
    assert whole["statusCode"] == 413
    assert "?redirect=false" in str(whole["body"])
    assert ask(Range="bytes=0-9")["statusCode"] == 206


def test_a_limit_may_be_set_anywhere(app: FastAPI, tmp_path: Path, path: str) -> None:
    same = app.state.services.settings.model_dump() | {
        "stream_limit_bytes": 10,
        "stream_clients": [""],
        "home": tmp_path,
    }
    with running_app(type(app.state.services.settings)(_env_file=None, **same)) as limited:
        record = make_record(bucket="streamframes", key="a/large.fits", size=len(DATA))
        with write(limited.state.services.sessions) as session:
            frame_id = put_frame(session, record)
        client = make_client(limited, make_key(limited.state.services.sessions, "ada"))
        answer = client.get(f"/frames/{frame_id}/download/")
        assert answer.status_code == 413
        assert client.head(f"/frames/{frame_id}/download/").headers["content-length"] == str(len(DATA))


def test_the_catalogue_is_csv(archive: RunningArchive) -> None:
    archive.s3.put_object(Bucket=archive.bucket, Key="catalog/with.fits", Body=FRAME)
    archive.s3.put_object(Bucket=archive.bucket, Key="catalog/without.fits", Body=simulate_frame().data)
    with_one, without = (archive.wait_for_frame(f"catalog/{name}.fits") for name in ("with", "without"))
    answer = archive.http.get(f"/frames/{with_one['id']}/catalog/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/comma-separated-values")
    assert answer.text.splitlines()[0] == "x,y,ra,dec,flux,fluxerr,peak,fwhm,flag"
    assert len(answer.text.splitlines()) > 1
    assert answer.headers["content-length"] == str(len(answer.content))
    head = archive.http.head(f"/frames/{with_one['id']}/catalog/")
    assert (head.content, head.headers["content-length"]) == (b"", answer.headers["content-length"])
    empty = archive.http.get(f"/frames/{without['id']}/catalog/")
    assert (empty.status_code, empty.content) == (200, b"")
    assert empty.headers["content-type"] == "text/comma-separated-values"
    assert archive.http.get("/frames/99999999/catalog/").status_code == 404
    assert httpx.get(f"{archive.url}/frames/1/catalog/", trust_env=False).status_code == 401


def test_a_catalogue_that_is_lost_is_told_of(app: FastAPI, client: TestClient) -> None:
    with write(app.state.services.sessions) as session:
        frame_id = put_frame(session, make_record(key="lost.fits", catalog_rows=3))
    answer = client.get(f"/frames/{frame_id}/catalog/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "The catalog of this frame is not there."})


def test_a_refusal_is_told_to_urllib(archive: RunningArchive) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(HTTPError) as caught:
        opener.open(f"{archive.url}/frames/1/download/", timeout=30)
    with caught.value as answer:
        assert answer.code == 401
