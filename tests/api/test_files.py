import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator
from http.cookiejar import CookieJar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.testclient import TestClient

from functions.api.lookup import find_frame, read_derived
from shared.database import write
from shared.index.frames import put_frame
from shared.store.client import Store
from shared.store.naming import HEADERS, derived_key
from tests.api.conftest import local_settings, make_client, make_key, running_app
from tests.archive import RunningArchive
from tests.index.factory import make_record

BUCKET, DERIVED = "apiframes", "apiderived"
PNG, WEBP, JPEG = b"\x89PNG\r\n\x1a\nsmall", b"RIFF\x04\0\0\0WEBPlarge", b"\xff\xd8\xff\xe0large"
DOCUMENT = {
    "version": 1,
    "science": 0,
    "header": [["OBJECT", "M 31", "what"], ["EXPTIME", 30.0, "[s] how long"], ["HISTORY", "done", ""]],
    "hdus": [
        {"index": 0, "name": "", "kind": "image", "axes": [2, 3], "cards": [["EXPTIME", 30.0, "[s] how long"]]},
    ],
}
NAMES = [
    "plain.fits",
    "with blank.fits",
    "plus+percent%41.fits",
    "Ünïcode-ζ.fits.fz",
    'quote";x="y.fits',
    "line\r\nSet-Cookie: a=b.fits",
    "e" * 250 + ".fits",
]

pytestmark = pytest.mark.archive


@pytest.fixture(scope="module")
def store(archive: RunningArchive) -> Store:
    for bucket in (BUCKET, DERIVED):
        archive.store.ensure_bucket(bucket)
    return archive.store


@pytest.fixture(scope="module")
def app(store: Store, archive: RunningArchive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    names = ("s3_endpoint_url", "s3_public_url", "s3_access_key", "s3_secret_key", "s3_region")
    same = {name: getattr(archive.settings, name) for name in names}
    settings = local_settings(tmp_path_factory.mktemp("files"), **same, bucket=BUCKET, derived_bucket=DERIVED)
    with running_app(settings) as app:
        yield app


@pytest.fixture(scope="module")
def client(app: FastAPI) -> TestClient:
    return make_client(app, make_key(app.state.services.sessions, "ada"))


def put_object(app: FastAPI, key: str, *, derived: dict[str, bytes] | None = None, etag: str = "e7a6") -> int:
    """Put an object whose bytes are its key, its derived objects, and its frame."""
    store: Store = app.state.services.store
    data = key.encode()
    store.write_bytes(BUCKET, key, data, "application/fits")
    record = make_record(
        bucket=BUCKET,
        key=key,
        etag=etag,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        crc32=0xAB,
        digest=hashlib.sha256(f"{key} {etag}".encode()).hexdigest(),
    )
    for name, content in (derived or {}).items():
        store.write_bytes(DERIVED, derived_key(record.digest, name), content, "application/octet-stream")
    with write(app.state.services.sessions) as session:
        return put_frame(session, record)


def test_the_archive_is_healthy(client: TestClient) -> None:
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok", "store": "ok"})


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:12])
def test_a_download_leads_to_the_bytes_under_their_name(app: FastAPI, client: TestClient, name: str) -> None:
    frame_id = put_object(app, f"down/{name}" if name.isprintable() else "down/odd.fits")
    if not name.isprintable():
        record = make_record(bucket=BUCKET, key="down/odd.fits", filename=name)
        with write(app.state.services.sessions) as session:
            put_frame(session, record)
    answer = client.get(f"/frames/{frame_id}/download/")
    assert answer.status_code == 302
    assert answer.content == b""
    assert answer.headers.get_list("set-cookie") == ["fileDownload=true; Path=/"]
    assert answer.headers["cache-control"] == "no-store"
    got = httpx.get(answer.headers["location"], trust_env=False)
    assert got.status_code == 200
    assert got.content == client.get(f"/frames/{frame_id}/").json()["key"].encode()
    disposition = got.headers["content-disposition"]
    assert disposition.startswith("attachment; filename=")
    assert re.fullmatch(r'[^"]*"[^"\r\n]*"[^"\r\n]*', disposition)
    assert "set-cookie" not in got.headers


def test_the_link_alone_can_be_told(app: FastAPI, client: TestClient) -> None:
    frame_id = put_object(app, "told/a.fits")
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    answer = client.get(f"/frames/{frame_id}/download/?redirect=false")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert list(told) == ["url", "expires", "filename", "size", "crc32", "sha256"]
    got = httpx.get(told["url"], trust_env=False)
    assert (told["filename"], told["size"], told["crc32"]) == ("a.fits", len(got.content), "000000ab")
    assert told["sha256"] == hashlib.sha256(got.content).hexdigest()
    life = dt.timedelta(seconds=app.state.services.settings.link_seconds)
    assert before + life <= dt.datetime.fromisoformat(told["expires"]) <= dt.datetime.now(dt.UTC) + life
    assert parse_qs(urlsplit(told["url"]).query)["X-Amz-Expires"] == [str(int(life.total_seconds()))]


def test_a_download_reaches_an_undated_frame_and_head_works(app: FastAPI, client: TestClient) -> None:
    frame_id = put_object(app, "undated/a.fits")
    with write(app.state.services.sessions) as session:
        put_frame(session, make_record(bucket=BUCKET, key="undated/a.fits", date_obs=None, night=None))
    head = client.head(f"/frames/{frame_id}/download/")
    assert (head.status_code, head.content) == (302, b"")
    assert head.headers["location"].startswith("http")


def test_the_token_goes_to_no_link(app: FastAPI, client: TestClient) -> None:
    location = client.get(f"/frames/{put_object(app, 'secret/a.fits')}/download/").headers["location"]
    assert client.headers["authorization"].split()[1] not in location
    assert urlsplit(location).netloc != "archive.test"


@pytest.mark.parametrize("query", ["redirect=perhaps", "redirect=2"])
def test_an_odd_redirect_is_refused(app: FastAPI, client: TestClient, query: str) -> None:
    answer = client.get(f"/frames/{put_object(app, 'odd/a.fits')}/download/?{query}")
    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid value for redirect."})


@pytest.mark.parametrize(
    ("query", "content", "kind"),
    [("", PNG, "image/png"), ("?size=small", PNG, "image/png"), ("?size=large", WEBP, "image/webp")],
)
def test_a_preview_is_shown(app: FastAPI, client: TestClient, query: str, content: bytes, kind: str) -> None:
    frame_id = put_object(app, "view/a.fits", derived={"preview-small.png": PNG, "preview-large": WEBP})
    path = f"/frames/{frame_id}/preview/{query}"
    answer = client.get(path)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, kind)
    assert answer.headers["etag"] == '"e7a6"'
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["content-length"] == str(len(content))
    head = client.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(content)))


def test_a_large_preview_may_be_jpeg(app: FastAPI, client: TestClient) -> None:
    frame_id = put_object(app, "view/jpeg.fits", derived={"preview-large": JPEG})
    assert client.get(f"/frames/{frame_id}/preview/?size=large").headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("header", "status"),
    [('"e7a6"', 304), ('W/"e7a6"', 304), ('"x", "e7a6"', 304), ("*", 304), ('"x"', 200), ("e7a6", 200), ("", 200)],
)
def test_a_preview_that_the_client_has_is_not_sent_again(
    app: FastAPI, client: TestClient, header: str, status: int
) -> None:
    frame_id = put_object(app, "view/known.fits", derived={"preview-small.png": PNG})
    answer = client.get(f"/frames/{frame_id}/preview/", headers={"If-None-Match": header})
    assert answer.status_code == status
    assert answer.headers["etag"] == '"e7a6"'
    assert answer.content == (b"" if status == 304 else PNG)


def test_a_preview_of_known_bytes_may_be_kept(app: FastAPI, client: TestClient) -> None:
    frame_id = put_object(app, "view/kept.fits", derived={"preview-small.png": PNG})
    sha256 = client.get(f"/frames/{frame_id}/").json()["sha256"]
    for of, kept in ((sha256[:16], "private, max-age=604800"), (sha256[:7], "private, no-cache"), ("0" * 16, None)):
        answer = client.get(f"/frames/{frame_id}/preview/", params={"of": of})
        assert answer.content == PNG
        assert answer.headers["cache-control"] == (kept or "private, no-cache")


def test_an_etag_cannot_break_the_header(app: FastAPI, client: TestClient) -> None:
    frame_id = put_object(app, "view/etag.fits", derived={"preview-small.png": PNG}, etag='a"b é-2')
    assert client.get(f"/frames/{frame_id}/preview/").headers["etag"] == '"ab-2"'


def test_headers_are_shown_sorted_or_in_full(app: FastAPI, client: TestClient) -> None:
    document = json.dumps(DOCUMENT).encode()
    frame_id = put_object(app, "head/a.fits", derived={"headers.json": document})
    short = client.get(f"/frames/{frame_id}/headers/").json()
    assert short == {"results": [{"key": "EXPTIME", "value": 30.0}, {"key": "OBJECT", "value": "M 31"}]}
    full = client.get(f"/frames/{frame_id}/headers/?format=full").json()["results"]
    assert [hdu["index"] for hdu in full] == [0]
    assert full[0]["cards"] == [{"key": "EXPTIME", "value": 30.0, "comment": "how long", "unit": "s"}]


@pytest.mark.parametrize("path", ["headers/?format=xml", "preview/?size=huge"])
def test_an_odd_format_or_size_is_refused(app: FastAPI, client: TestClient, path: str) -> None:
    answer = client.get(f"/frames/{put_object(app, 'odd/b.fits')}/{path}")
    name = path.split("?")[1].split("=", maxsplit=1)[0]
    assert (answer.status_code, answer.json()) == (400, {"detail": f"Invalid value for {name}."})


@pytest.mark.parametrize(("path", "what"), [("headers/", "headers"), ("preview/?size=large", "preview")])
def test_what_ingest_has_not_made_is_told(app: FastAPI, client: TestClient, path: str, what: str) -> None:
    answer = client.get(f"/frames/{put_object(app, 'bare/a.fits')}/{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": f"The {what} of this frame is not there."})


def test_a_client_of_the_predecessor_finds_the_headers(app: FastAPI, client: TestClient) -> None:
    document = json.dumps(DOCUMENT).encode()
    frame_id = put_object(app, "pyobs/a.fits", derived={"headers.json": document})
    url = client.get(f"/frames/{frame_id}/").json()["url"]
    assert client.get("/" + url.replace("download", "headers")).json()["results"][1]["value"] == "M 31"


def test_the_cookie_is_one_that_clients_keep(app: FastAPI, client: TestClient) -> None:
    answer = client.get(f"/frames/{put_object(app, 'cookie/a.fits')}/download/")
    jar = CookieJar()
    httpx.Cookies(jar).extract_cookies(answer)
    assert [(cookie.name, cookie.value, cookie.path) for cookie in jar] == [("fileDownload", "true", "/")]


def test_a_frame_that_is_replaced_meanwhile_shows_what_it_is_now(app: FastAPI) -> None:
    frame_id = put_object(app, "replaced.fits", derived={HEADERS: b"old"}, etag="before")
    request = Request({"type": "http", "app": app, "headers": []})
    before = find_frame(request, frame_id).frame
    services = app.state.services
    services.store.delete(services.settings.derived_bucket, (derived_key(before.digest, HEADERS),))
    assert put_object(app, "replaced.fits", derived={HEADERS: b"new"}, etag="after") == frame_id
    assert read_derived(request, before, HEADERS, 100) == b"new"
