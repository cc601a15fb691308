"""Uploads straight to the store, by links of the API of a running archive."""

import json
from typing import Any

import httpx
import pytest

from shared.simulator import simulate_frame
from shared.store.multipart import MAX_OBJECT, MAX_SINGLE
from tests.api.conftest import PutFrame
from tests.api.uploading import large_frame, objects, sha256
from tests.archive import RunningArchive, wait_until

pytestmark = pytest.mark.archive
PATH = "/uploads/"


def asked(archive: RunningArchive, **body: Any) -> dict[str, Any]:
    answer = archive.http.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def sent(form: dict[str, Any], data: bytes) -> httpx.Response:
    return httpx.post(form["url"], data=form["fields"], files={"file": ("x", data)}, trust_env=False)


def test_a_form_writes_the_object_and_the_frame_shows_up(archive: RunningArchive) -> None:
    data = simulate_frame(name="direct-form.fits.fz").data
    form = asked(archive, filename="direct-form.fits.fz", size=len(data))
    assert (form["method"], form["key"], form["max_size"]) == ("POST", "uploads/direct-form.fits.fz", len(data))
    assert sent(form, data).is_success
    assert archive.wait_for_frame("uploads/direct-form.fits.fz")["sha256"] == sha256(data)


@pytest.mark.parametrize("key", ["night 1/direct ü+%.fits.fz", "a/b/c.fits.fz"])
def test_a_path_is_its_own_key(archive: RunningArchive, key: str) -> None:
    data = simulate_frame(name="x.fits.fz").data
    form = asked(archive, filename=key)
    assert (form["key"], form["max_size"]) == (key, MAX_SINGLE)
    assert sent(form, data).is_success
    assert archive.wait_for_frame(key)["sha256"] == sha256(data)


def test_a_form_takes_neither_more_bytes_nor_another_key(archive: RunningArchive) -> None:
    form = asked(archive, filename="direct-limited.fits", size=1000)
    assert sent(form, bytes(1001)).status_code in (400, 403)
    assert sent(form, b"").status_code in (400, 403)
    other = form | {"fields": form["fields"] | {"key": "uploads/direct-other.fits"}}
    assert sent(other, bytes(10)).status_code == 403
    assert [key for key in objects(archive) if "direct-limited" in key or "direct-other" in key] == []


def test_the_body_may_be_a_form(archive: RunningArchive) -> None:
    answer = archive.http.post(PATH, data={"filename": "direct-fields.fits", "size": "1000", "multipart": "false"})
    assert answer.json()["key"] == "uploads/direct-fields.fits"
    assert answer.headers["cache-control"] == "no-store"


def test_parts_become_the_object_and_the_frame_shows_up(archive: RunningArchive) -> None:
    data = large_frame("direct-parts.fits", 6000)
    assert len(data) > 64 << 20
    upload = asked(archive, filename="night/direct-parts.fits", size=len(data), multipart=True)
    assert upload["method"] == "PUT"
    assert [part["number"] for part in upload["parts"]] == [1, 2]
    assert sum(part["size"] for part in upload["parts"]) == len(data)
    early = archive.http.post(PATH + "complete/", json=upload["complete"]["body"])
    assert early.status_code == 400
    for part in upload["parts"]:
        start = (part["number"] - 1) * upload["part_size"]
        piece = data[start : start + part["size"]]
        assert httpx.put(part["url"], content=piece, trust_env=False, timeout=60).is_success
        if part["number"] == 1:
            half = archive.http.post(PATH + "complete/", json=upload["complete"]["body"])
            assert (half.status_code, half.json()) == (400, {"detail": f"{len(piece)} of {len(data)} bytes are there."})
    done = archive.http.post("/" + upload["complete"]["url"], json=upload["complete"]["body"])
    assert (done.status_code, done.json()["key"], done.json()["size"]) == (200, upload["key"], len(data))
    assert archive.wait_for_frame("night/direct-parts.fits")["sha256"] == sha256(data)


def test_an_upload_in_parts_can_be_dropped(archive: RunningArchive) -> None:
    upload = asked(archive, filename="direct-dropped.fits", size=100, multipart="true")
    assert httpx.put(upload["parts"][0]["url"], content=bytes(100), trust_env=False).is_success
    assert archive.http.post("/" + upload["abort"]["url"], json=upload["abort"]["body"]).status_code == 200
    for path in ("complete/", "abort/"):
        answer = archive.http.post(PATH + path, json=upload["abort"]["body"])
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
    assert [key for key in objects(archive) if "direct-dropped" in key] == []


def test_what_is_larger_than_one_request_takes_comes_in_parts(archive: RunningArchive) -> None:
    upload = asked(archive, filename="direct-huge.fits", size=MAX_OBJECT)
    assert len(upload["parts"]) <= 2000
    assert max(part["size"] for part in upload["parts"]) <= MAX_SINGLE
    assert sum(part["size"] for part in upload["parts"]) == MAX_OBJECT
    archive.http.post("/" + upload["abort"]["url"], json=upload["abort"]["body"])


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "filename"),
        ([], "filename"),
        ({"filename": ""}, "filename"),
        ({"filename": 7}, "filename"),
        ({"filename": "../x.fits"}, "filename"),
        ({"filename": "/x.fits"}, "filename"),
        ({"filename": "a//x.fits"}, "filename"),
        ({"filename": "a\\x.fits"}, "filename"),
        ({"filename": "a\0.fits"}, "filename"),
        ({"filename": ".uploads/x.fits"}, "filename"),
        ({"filename": "${filename}"}, "filename"),
        ({"filename": "x" * 300}, "filename"),
        ({"filename": "x", "size": 0}, "size"),
        ({"filename": "x", "size": -1}, "size"),
        ({"filename": "x", "size": True}, "size"),
        ({"filename": "x", "size": 1.5}, "size"),
        ({"filename": "x", "size": "many"}, "size"),
        ({"filename": "x", "size": MAX_OBJECT + 1}, "size"),
        ({"filename": "x", "multipart": True}, "size"),
        ({"filename": "x", "multipart": "perhaps"}, "multipart"),
        ({"filename": "x", "multipart": []}, "multipart"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(archive: RunningArchive, body: Any, name: str) -> None:
    answer = archive.http.post(PATH, json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"Invalid value for {name}")


@pytest.mark.parametrize("path", ["complete/", "abort/"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"key": "x", "upload_id": "nobody-knows-it"}, 404),
        ({"key": "../x", "upload_id": "y"}, 400),
        ({"key": "x"}, 400),
        ({"key": "x", "upload_id": "a\nb"}, 400),
        ({"upload_id": "y"}, 400),
    ],
)
def test_an_unknown_upload_is_not_found(archive: RunningArchive, path: str, body: Any, status: int) -> None:
    assert archive.http.post(PATH + path, json=body).status_code == status


def states(archive: RunningArchive, *keys: str) -> list[dict[str, Any]]:
    answer = archive.http.post(PATH + "status/", json={"keys": keys})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    assert [one["key"] for one in results] == list(keys)
    return results


def test_what_became_of_uploads_is_told_of_the_object_as_it_is_now(archive: RunningArchive) -> None:
    good, bad, gone = "fates/good.fits", "fates/bad ü+%.fits", "fates/gone.fits"
    archive.s3.put_object(Bucket=archive.bucket, Key=good, Body=simulate_frame(name="good.fits").data)
    archive.s3.put_object(Bucket=archive.bucket, Key=bad, Body=b"no FITS at all")
    frame = archive.wait_for_frame(good)
    wait_until("the failure is told", lambda: states(archive, bad)[0]["state"] == "failed")
    first, second, third = states(archive, good, bad, gone)
    assert first == {"key": good, "state": "indexed", "frame_id": frame["id"], "kind": None, "reason": None}
    assert (second["kind"], second["frame_id"]) == ("not-fits", None)
    assert second["reason"].startswith("not FITS: begins with")
    assert third == {"key": gone, "state": "absent", "frame_id": None, "kind": None, "reason": None}
    archive.s3.put_object(Bucket=archive.bucket, Key=bad, Body=simulate_frame(name="mended.fits").data)
    assert states(archive, bad)[0]["state"] in ("waiting", "indexed")
    archive.s3.put_object(Bucket=archive.bucket, Key=good, Body=b"no FITS any more")
    assert states(archive, good)[0]["state"] in ("waiting", "failed")
    mended = archive.wait_for_frame(bad)["id"]
    assert states(archive, bad)[0]["frame_id"] == mended
    wait_until("its failure is told", lambda: states(archive, good)[0]["state"] == "failed")


def test_many_are_asked_after_at_once(archive: RunningArchive) -> None:
    assert len(states(archive, *(f"fates/{n}.fits" for n in range(200)))) == 200
    assert states(archive) == []


@pytest.mark.parametrize(
    "body", [{}, [], {"keys": "x"}, {"keys": [1]}, {"keys": ["../x"]}, {"keys": ["x\ud800"]}, {"keys": ["x"] * 201}]
)
def test_what_is_no_list_of_keys_is_refused(archive: RunningArchive, body: Any) -> None:
    kind = {"Content-Type": "application/json"}
    answer = archive.http.post(PATH + "status/", content=json.dumps(body), headers=kind)
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


@pytest.mark.parametrize("path", ["", "complete/", "abort/", "status/"])
def test_only_staff_may(client: Any, anonymous: Any, put: PutFrame, path: str) -> None:
    assert anonymous.post(PATH + path, json={}).status_code == 401
    assert client.post(PATH + path, json={"filename": "x"}).status_code == 403
    assert client.get(PATH + path).status_code == 403


def test_post_alone_is_allowed(archive: RunningArchive) -> None:
    answer = archive.http.get(PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
