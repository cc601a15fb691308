"""Zips where the index is behind the store, where the store is away, and where answers have to be short."""

import base64
import datetime as dt
import io
import logging
import os
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from mangum import Mangum

from functions.api.stage import StagePrefix
from shared.bundle.assembly import bundle_name, plan_bundle
from shared.bundle.inside import RESERVED, Wish
from shared.database import read, utc_now
from shared.index.bundles import bundle_of_query
from shared.index.selection import FrameQuery
from tests.api.conftest import local_settings, make_client, make_key, running_app
from tests.api.gateways import GATEWAYS
from tests.api.zipstore import BUCKET, ZipStore, serving, zip_store
from tests.archive import RunningArchive

pytestmark = pytest.mark.archive


@pytest.fixture
def zips(archive: RunningArchive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipStore]:
    with zip_store(archive, tmp_path_factory.mktemp("zips")) as found:
        yield found


def names(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        found = [name.split("/")[1] for name in archive.namelist()]
    return [name for name in found if name not in RESERVED]


def test_frames_that_changed_or_vanished_are_left_out_and_told(zips: ZipStore) -> None:
    kept = zips.put("n/1.fits", b"one" * 100)
    changed = zips.put("n/2.fits", b"two" * 100)
    vanished = zips.put("n/3.fits", b"three" * 100)
    before = zips.client.get("/frames/zip/?sort=id")
    zips.store.write_bytes(BUCKET, "n/2.fits", b"another", "application/fits")
    zips.store.delete(BUCKET, ("n/3.fits",))
    answer = zips.client.get("/frames/zip/?sort=id")
    assert (answer.status_code, names(answer.content)) == (200, ["1.fits"])
    assert answer.headers["x-left-out"] == f"{changed}, {vanished}"
    assert answer.headers["etag"] != before.headers["etag"]
    answer = zips.client.post("/frames/zip/", data={"frame_ids[]": [vanished, kept]})
    assert names(answer.content) == ["1.fits"]


def test_nothing_is_resumed_that_became_another_zip(zips: ZipStore) -> None:
    for number in range(3):
        zips.put(f"r/{number}.fits", bytes([number]) * 1000)
    before = zips.client.get("/frames/zip/?sort=id")
    zips.store.write_bytes(BUCKET, "r/2.fits", b"another", "application/fits")
    answer = zips.client.get("/frames/zip/?sort=id", headers={"Range": "bytes=500-"})
    assert (answer.status_code, names(answer.content)) == (200, ["0.fits", "1.fits"])
    same = {"Range": "bytes=500-", "If-Range": answer.headers["etag"]}
    rest = zips.client.get("/frames/zip/?sort=id", headers=same)
    assert (rest.status_code, rest.content) == (206, answer.content[500:])
    part = zips.client.get("/frames/zip/?sort=id", headers={"Range": "bytes=100-999"})
    assert (part.status_code, part.content) == (206, before.content[100:1000])
    zips.put_row("r/2.fits", b"another")
    etag = before.headers["etag"]
    answer = zips.client.get("/frames/zip/?sort=id", headers={"Range": "bytes=500-", "If-Range": etag})
    assert (answer.status_code, names(answer.content)) == (200, ["0.fits", "1.fits", "2.fits"])


def test_a_download_can_be_resumed_after_midnight(zips: ZipStore) -> None:
    zips.put("m/1.fits", b"midnight" * 100)
    yesterday = utc_now().date() - dt.timedelta(days=1)
    with read(zips.app.state.services.sessions) as session:
        plan = plan_bundle(list(bundle_of_query(session, FrameQuery())), Wish("ada", yesterday, ()))
    etag = f'"{plan.identity()}-{yesterday:%Y%m%d}"'
    answer = zips.client.get("/frames/zip/", headers={"Range": "bytes=20-", "If-Range": etag})
    assert (answer.status_code, answer.headers["etag"]) == (206, etag)
    assert f"{bundle_name(yesterday)}/1.fits".encode() in answer.content
    for odd in ("99999999", "20201111"):
        answer = zips.client.get("/frames/zip/", headers={"Range": "bytes=20-", "If-Range": f'"{"a" * 32}-{odd}"'})
        assert answer.status_code == 200
        assert odd not in answer.headers["etag"]


def test_a_transfer_that_fails_is_seen_to_fail(zips: ZipStore, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(2):
        zips.put(f"f/{number}.fits", os.urandom(40 << 20))
    headers = {"Authorization": f"Token {zips.key}"}
    with (
        serving(zips.app) as url,
        caplog.at_level(logging.ERROR),
        httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client,
        client.stream("GET", "/frames/zip/?sort=id") as answer,
    ):
        assert answer.status_code == 200
        stream = answer.iter_raw(1 << 16)
        next(stream)
        zips.store.write_bytes(BUCKET, "f/1.fits", b"another", "application/fits")
        with pytest.raises(httpx.RemoteProtocolError):
            list(stream)
        assert 0 < answer.num_bytes_downloaded < int(answer.headers["content-length"])
    assert [record.message for record in caplog.records if record.name == "functions.api.zips"] == ["zip broken off"]


def test_a_client_that_leaves_leaves_nothing_running(zips: ZipStore) -> None:
    for number in range(3):
        zips.put(f"l/{number}.fits", bytes(30 << 20))
    headers = {"Authorization": f"Token {zips.key}"}
    with serving(zips.app) as url, httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
        with client.stream("GET", "/frames/zip/") as answer:
            next(answer.iter_raw(1 << 16))
        threads = zips.app.state.services.bundle_threads
        deadline = time.monotonic() + 10
        while threads._work_queue.qsize() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert threads._work_queue.qsize() == 0


def test_names_are_safe_in_the_zip(zips: ZipStore) -> None:
    for number, filename in enumerate(["../../etc/passwd", "aux.fits", "a\r\nb.fits", "..", "A\\..\\b.fits"]):
        zips.put(f"s/{number}.fits", b"x", filename=filename)
    assert names(zips.client.get("/frames/zip/?sort=id").content) == [
        ".._.._etc_passwd",
        "_aux.fits",
        "a__b.fits",
        "frame",
        "A_.._b.fits",
    ]


def test_an_empty_object_and_an_undated_frame(zips: ZipStore) -> None:
    empty = zips.put("e/empty.fits", b"")
    undated = zips.put("e/undated.fits", b"x", date_obs=None, night=None)
    assert names(zips.client.get("/frames/zip/").content) == ["empty.fits"]
    assert names(zips.client.get("/frames/zip/?undated=true").content) == ["empty.fits", "undated.fits"]
    answer = zips.client.post("/frames/zip/", data={"frame_ids[]": [undated, empty]})
    assert names(answer.content) == ["undated.fits", "empty.fits"]


def test_limits_are_told(archive: RunningArchive, tmp_path_factory: pytest.TempPathFactory) -> None:
    with zip_store(archive, tmp_path_factory.mktemp("limits"), zip_limit_bytes=5000, zip_limit_frames=2) as zips:
        ids = [zips.put(f"x/{number}.fits", bytes(3000)) for number in range(3)]
        too_many = zips.client.get("/frames/zip/")
        assert (too_many.status_code, "more than 2 frames" in too_many.json()["detail"]) == (413, True)
        assert zips.client.post("/frames/zip/", data={"frame_ids[]": ids}).status_code == 413
        too_long = zips.client.get("/frames/zip/?limit=2")
        assert too_long.status_code == 413
        assert "one by one" in too_long.json()["detail"]
        assert "set-cookie" not in too_long.headers
        assert zips.client.head("/frames/zip/?limit=2").status_code == 200
        assert zips.client.get("/frames/zip/?limit=2", headers={"Range": "bytes=0-4999"}).status_code == 206
        assert zips.client.get("/frames/zip/?limit=1").status_code == 200


def test_a_store_that_is_away_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_app(local_settings(tmp_path_factory.mktemp("away"))) as app:
        zips = ZipStore.__new__(ZipStore)
        zips.app = app
        client = make_client(app, make_key(app.state.services.sessions, "ada"))
        zips.put_row("a.fits", b"x")
        answer = client.get("/frames/zip/")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert client.get("/frames/zip/?limit=0").status_code == 200


@pytest.mark.usefixtures("lambda_loop")
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_small_zips_and_ranges_on_lambda_and_where_others_are_built(zips: ZipStore, gateway: str) -> None:
    zips.put("small/a.fits", b"a" * 1000)
    zips.put("large/b.fits", os.urandom(4_000_000))
    function: Any = Mangum(StagePrefix(zips.app), lifespan="off")
    headers = {"Authorization": f"Token {zips.key}"}
    make = GATEWAYS[gateway]
    small = function(make("GET", "/frames/zip/", "basename=a", headers), None)
    assert (small["statusCode"], small["isBase64Encoded"]) == (200, True)
    assert names(base64.b64decode(small["body"])) == ["a.fits"]
    large = function(make("GET", "/frames/zip/", "", headers), None)
    assert large["statusCode"] == 303
    part = function(make("GET", "/frames/zip/", "", headers | {"Range": "bytes=0-3999999"}), None)
    assert (part["statusCode"], len(base64.b64decode(part["body"]))) == (206, 4_000_000)
