"""Frames uploaded by form to a running archive."""

import bz2
import gzip
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from astropy.io import fits
from fastapi import FastAPI

from shared.accounts.service import create_user
from shared.accounts.tokens import issue_token
from shared.database import make_engine, make_session_factory, write
from shared.index.failures import list_failures
from shared.simulator import simulate_frame
from tests.api.conftest import make_client
from tests.api.uploading import changed, large_frame, objects, sha256, stored, upload
from tests.archive import RunningArchive, wait_until

pytestmark = pytest.mark.archive
PATH = "/frames/create/"


def camera_frame(name: str, **keywords: Any) -> bytes:
    """Return a frame as cameras send it: the image is the primary HDU, named SCI."""
    return simulate_frame(name=name, EXTNAME="SCI", **keywords).data


@pytest.fixture(scope="module")
def sessions(archive: RunningArchive) -> Iterator[Any]:
    engine = make_engine(archive.settings.effective_database_url)
    yield make_session_factory(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def user_token(sessions: Any) -> str:
    with write(sessions) as session:
        return issue_token(session, create_user(session, "uploader", "secret words"), "test")


def failures_below(sessions: Any, prefix: str) -> int:
    with sessions() as session:
        return list_failures(session, limit=0, prefix=prefix)[0]


def test_the_answer_comes_when_the_frame_is_listed(archive: RunningArchive) -> None:
    data = camera_frame("create-first-0001-e00.fits", SITEID="create1")
    assert upload(archive, ("anything.fits", data)) == {"created": 1, "filenames": ["create-first-0001-e00"]}
    listed = archive.get("/frames/", SITE="create1")
    assert listed["count"] == 1
    frame = listed["results"][0]
    assert (frame["basename"], frame["key"]) == (
        "create-first-0001-e00",
        "create1/2026-11-21/create-first-0001-e00.fits",
    )
    assert stored(archive, frame) == data
    assert frame["sha256"] == sha256(data)


@pytest.mark.parametrize(("night", "folder"), [("2024-01-15", "2024-01-15"), ("20240115", "20240115")])
def test_the_night_is_written_as_in_the_header(archive: RunningArchive, night: str, folder: str) -> None:
    name = f"create-night-{night}.fits"
    upload(archive, (name, camera_frame(name, SITEID="create2", cards={"DAY-OBS": night})))
    frame = archive.frames(basename=f"create-night-{night}")[0]
    assert frame["key"] == f"create2/{folder}/{name}"


@pytest.mark.parametrize(
    ("filename", "pack", "extension"),
    [
        ("a.fits.gz", gzip.compress, ".fits.gz"),
        ("a.fits", gzip.compress, ".fits.gz"),
        ("a.fits.bz2", bz2.compress, ".fits.bz2"),
        ("a.fits.gz", bytes, ".fits"),
    ],
)
def test_packed_streams_are_told_by_their_bytes(
    archive: RunningArchive, filename: str, pack: Any, extension: str
) -> None:
    name = f"create-packed-{filename.replace('.', '-')}-{pack.__name__}"
    data = pack(camera_frame(f"{name}.fits"))
    assert upload(archive, (filename, data)) == {"created": 1, "filenames": [name]}
    frame = archive.frames(basename=name)[0]
    assert frame["filename"] == name + extension
    assert stored(archive, frame) == data


def test_an_extension_and_a_tiled_image_named_sci(archive: RunningArchive) -> None:
    tiled = simulate_frame(name="create-tiled.fits.fz").data
    with fits.open(io.BytesIO(camera_frame("create-extension.fits"))) as file:
        target = io.BytesIO()
        image = fits.ImageHDU(file[0].data, file[0].header)
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(target)
    answer = upload(archive, ("t.fits.fz", tiled), ("e.fits", target.getvalue()))
    assert answer == {"created": 2, "filenames": ["create-tiled", "create-extension"]}
    assert stored(archive, archive.frames(basename="create-tiled")[0]) == tiled


@pytest.mark.parametrize("keyword", ["SITEID", "DAY-OBS", "FNAME", "EXPTIME"])
def test_missing_keywords_are_told_in_the_predecessors_words(
    archive: RunningArchive, sessions: Any, keyword: str
) -> None:
    before = objects(archive)
    data = changed(camera_frame("create-missing.fits"), **{keyword: None})
    answer = upload(archive, ("x.fits", data))
    error = f"\"Keyword '{keyword}' not found.\""
    failed = [{"filename": "x.fits", "error": error}]
    assert answer == {"created": 0, "filenames": [], "errors": [error], "failed": failed}
    assert objects(archive) == before
    assert archive.frames(basename="create-missing") == []


def test_each_file_that_failed_is_named_beside_what_is_told_once(archive: RunningArchive) -> None:
    nameless = changed(camera_frame("create-nameless.fits"), FNAME=None)
    answer = upload(archive, ("a.fits", nameless), ("sub/b.fits", nameless), ("c.fits", b"junk"))
    assert len(answer["errors"]) == 2
    assert [found["filename"] for found in answer["failed"]] == ["a.fits", "sub/b.fits", "c.fits"]
    assert answer["failed"][1]["error"] == answer["errors"][0]


def test_a_missing_date_and_a_missing_image_are_told_in_the_predecessors_words(archive: RunningArchive) -> None:
    undated = changed(camera_frame("create-undated.fits"), DATE_OBS=None)
    assert upload(archive, ("x.fits", undated))["errors"] == ["Could not find DATE-OBS in FITS header."]
    unnamed = simulate_frame(name="create-unnamed.fits").data
    assert upload(archive, ("x.fits", unnamed))["errors"] == ["\"Extension 'SCI' not found.\""]
    table = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=np.arange(3.0))], name="SCI")
    target = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(target)
    assert upload(archive, ("x.fits", target.getvalue()))["errors"] == ["x.fits: HDU 1 (SCI) holds no image"]


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({"SITEID": ".."}, "PATH_FORMATTER"),
        ({"SITEID": "../../derived"}, "PATH_FORMATTER"),
        ({"SITEID": "/etc"}, "absolute"),
        ({"SITEID": ".uploads"}, "dot"),
        ({"SITEID": "a\\b"}, "backslash"),
        ({"SITEID": ""}, "PATH_FORMATTER"),
        ({"DAY_OBS": "../x"}, "PATH_FORMATTER"),
        ({"FNAME": "../evil.fits"}, "FNAME"),
        ({"FNAME": ".fits"}, "FNAME"),
        ({"DATE_OBS": "tomorrow"}, "DATE-OBS = 'tomorrow' is not a date"),
        ({"EXPTIME": "long"}, "EXPTIME = 'long' is not a number"),
    ],
)
def test_hostile_headers_are_refused_with_a_reason(archive: RunningArchive, cards: dict[str, Any], words: str) -> None:
    before = objects(archive)
    answer = upload(archive, ("evil.fits", changed(camera_frame("create-evil.fits"), **cards)))
    assert answer["created"] == 0
    assert answer["errors"][0].startswith("evil.fits: ")
    assert words in answer["errors"][0]
    assert objects(archive) == before


def test_one_bad_file_does_not_stop_the_others(archive: RunningArchive) -> None:
    good = [camera_frame(f"create-some-{number}.fits", number=number) for number in range(2)]
    cut = good[0][:-3000]
    answer = upload(
        archive,
        ("one.fits", good[0]),
        ("page.fits", b"<!DOCTYPE html>"),
        ("page.fits", b"<!DOCTYPE html>"),
        ("cut.fits", cut),
        ("two.fits", good[1]),
    )
    assert answer["created"] == 2
    assert answer["filenames"] == ["create-some-0", "create-some-1"]
    assert [error.split(":")[0] for error in answer["errors"]] == ["page.fits", "cut.fits"]
    assert "truncated" in answer["errors"][1]


def test_every_file_of_a_repeated_field_counts_and_fields_do_not(archive: RunningArchive) -> None:
    files = [camera_frame(f"create-same-{number}.fits") for number in range(2)]
    parts = [("file", (f"{number}.fits", data)) for number, data in enumerate(files)]
    answer = archive.http.post(PATH, files=parts, data={"csrfmiddlewaretoken": "x" * 64, "note": "y"})
    assert answer.json() == {"created": 2, "filenames": ["create-same-0", "create-same-1"]}


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"file": "x"}},
        {"data": {"file": "x"}},
        {"content": b""},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"--x--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"files": {"csrfmiddlewaretoken": (None, "x")}},
        {"files": {"file": ("", b"data")}},
    ],
    ids=["json", "form", "nothing", "empty multipart", "no parts", "only a field", "no file chosen"],
)
def test_without_files_nothing_is_created(archive: RunningArchive, body: dict[str, Any]) -> None:
    answer = archive.http.post(PATH, **body)
    assert (answer.status_code, answer.json()) == (200, {"created": 0, "filenames": []})


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("text/plain", b"x", 415),
        ("application/fits", b"SIMPLE", 415),
        ("application/json", b"{", 400),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=", b"x", 400),
        ("multipart/form-data; boundary=x", b"not a part", 400),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\ncut',
            400,
        ),
    ],
)
def test_other_bodies_are_refused(archive: RunningArchive, kind: str, content: bytes, status: int) -> None:
    answer = archive.http.post(PATH, content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]


def test_only_staff_may(archive: RunningArchive, user_token: str) -> None:
    files = {"file": ("x.fits", camera_frame("create-forbidden.fits"))}
    with httpx.Client(base_url=archive.url, trust_env=False) as client:
        assert client.post(PATH, files=files).status_code == 401
        key = {"Authorization": f"Token {user_token}"}
        answer = client.post(PATH, files=files, headers=key)
        assert (answer.status_code, answer.json()) == (
            403,
            {"detail": "You do not have permission to perform this action."},
        )
        assert client.get(PATH, headers=key).status_code == 403
        assert client.get(PATH).status_code == 401
    assert archive.frames(basename="create-forbidden") == []


def test_post_alone_is_allowed(archive: RunningArchive) -> None:
    answer = archive.http.get(PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_the_path_of_the_documentation_and_one_without_slash(archive: RunningArchive) -> None:
    data = camera_frame("create-alias.fits")
    answer = archive.http.post("/create/", files={"f": ("a.fits", data)})
    assert answer.json() == {"created": 1, "filenames": ["create-alias"]}
    assert archive.http.post("/frames/create", files={"f": ("a.fits", data)}).status_code == 301


def test_a_known_basename_is_replaced_and_keeps_its_id(archive: RunningArchive) -> None:
    first, second = (camera_frame("create-again.fits", OBJECT="M 51", seed=seed) for seed in (1, 2))
    upload(archive, ("a.fits", first))
    before = archive.frames(basename="create-again")
    assert upload(archive, ("b.fits", second)) == {"created": 1, "filenames": ["create-again"]}
    after = archive.frames(basename="create-again")
    assert [frame["id"] for frame in after] == [frame["id"] for frame in before]
    assert stored(archive, after[0]) == second
    assert after[0]["sha256"] == sha256(second)


def test_a_frame_that_a_pipeline_put_elsewhere_is_replaced_where_it_is(archive: RunningArchive) -> None:
    data = camera_frame("create-elsewhere.fits")
    archive.s3.put_object(Bucket=archive.bucket, Key="pipeline/create-elsewhere.fits", Body=data)
    frame = archive.wait_for_frame("pipeline/create-elsewhere.fits")
    other = camera_frame("create-elsewhere.fits", seed=3)
    upload(archive, ("a.fits", other))
    found = archive.frames(basename="create-elsewhere")
    assert [(f["id"], f["key"]) for f in found] == [(frame["id"], frame["key"])]
    assert stored(archive, found[0]) == other


def test_uploads_of_one_name_at_once_leave_one_frame(archive: RunningArchive) -> None:
    versions = [camera_frame("create-race.fits", SITEID=f"race{seed % 2}", seed=seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda data: upload(archive, ("race.fits", data)), versions))
    assert answers == [{"created": 1, "filenames": ["create-race"]}] * 6
    frames = archive.frames(basename="create-race")
    assert len(frames) == 1
    assert [key for key in objects(archive) if "create-race" in key] == [frames[0]["key"]]
    data = stored(archive, frames[0])
    assert data in versions
    assert frames[0]["sha256"] == sha256(data)


def damaged(name: str, **keywords: Any) -> bytes:
    """Return a frame whose header is well and whose tiles lie outside its data, which ingest alone sees."""
    data = bytearray(simulate_frame(name=name, **keywords).data)
    with fits.open(io.BytesIO(bytes(data)), disable_image_compression=True) as file:
        start = file[1].fileinfo()["datLoc"]
    data[start : start + 8] = (2**30).to_bytes(4) * 2
    return bytes(data)


def test_what_ingest_refuses_leaves_nothing_behind(archive: RunningArchive, sessions: Any) -> None:
    before = objects(archive)
    answer = upload(archive, ("damaged.fits.fz", damaged("create-damaged.fits.fz", SITEID="damaged")))
    assert answer["created"] == 0
    assert "damaged.fits.fz: HDU 1 (SCI): tile 1 lies outside" in answer["errors"][0]
    assert objects(archive) == before
    assert archive.frames(basename="create-damaged") == []
    wait_until("no failure is left", lambda: failures_below(sessions, "damaged/") == 0)


def test_what_ingest_refuses_does_not_harm_the_frame_before(archive: RunningArchive, sessions: Any) -> None:
    data = simulate_frame(name="create-kept.fits.fz", SITEID="kept").data
    upload(archive, ("kept.fits.fz", data))
    before = archive.frames(basename="create-kept")[0]
    answer = upload(archive, ("kept.fits.fz", damaged("create-kept.fits.fz", SITEID="kept", seed=5)))
    assert answer["created"] == 0
    after = archive.frames(basename="create-kept")[0]
    assert (after["id"], after["key"], after["sha256"]) == (before["id"], before["key"], before["sha256"])
    assert stored(archive, after) == data
    assert archive.http.get(f"/frames/{after['id']}/preview/").status_code == 200
    assert failures_below(sessions, "kept/") == 0
    assert [found.key for found in archive.store.walk(archive.derived, prefix="aside/")] == []


def test_a_file_of_50_megabytes(archive: RunningArchive) -> None:
    data = large_frame("create-large.fits", 5010)
    assert len(data) > 50e6
    assert upload(archive, ("large.fits", data)) == {"created": 1, "filenames": ["create-large"]}
    frame = archive.frames(basename="create-large")[0]
    assert (frame["size"], frame["sha256"]) == (len(data), sha256(data))


def test_nothing_is_left_in_the_work_folder(archive: RunningArchive) -> None:
    upload(archive, ("x.fits", b"no FITS"), ("y.fits.gz", gzip.compress(b"no FITS")))
    assert list(Path(archive.home / "work").glob("fitsvault-upload-*")) == []


def test_a_body_that_is_too_long_is_refused(fragile_app: FastAPI) -> None:
    services = fragile_app.state.services
    with write(services.sessions) as session:
        from shared.accounts.account import Role  # noqa: PLC0415

        key = issue_token(session, create_user(session, "grace", "secret words", role=Role.STAFF), "test")
    limit = services.settings.max_upload_bytes
    answer = make_client(fragile_app, key).post(
        PATH,
        content=b"x",
        headers={"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(limit + 1)},
    )
    assert answer.status_code == 413
