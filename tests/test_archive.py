"""The main job, end to end: put a FITS file into the bucket, and it is archived."""

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import boto3
import httpx
import pytest
from botocore.config import Config

from shared.settings import LOCAL_SETTINGS_FILE
from shared.simulator import simulate_frame
from shared.store.naming import object_digest
from tests.archive import RunningArchive, wait_until

KEYS = [
    "end to end/with blank.fits",
    "end to end/plus+sign.fits",
    "end to end/percent%25 100%.fits",
    "end to end/ünïcode.fits.fz",
    "end to end/question?a=b&c#d.fits",
    "end to end/equals=;,'()!@$.fits",
    "end to end/" + "/".join(["d" * 210] * 4) + "/" + "n" * 40 + ".fits",
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[11:31])
def test_bytes_come_back_as_they_went(archive: RunningArchive, key: str) -> None:
    data = simulate_frame(OBJECT=key[-30:-5].encode("ascii", "replace").decode()).data
    archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=data)
    frame = archive.wait_for_frame(key)
    answer = archive.http.get(f"/frames/{frame['id']}/download/")
    assert answer.status_code == 302
    fetched = httpx.get(answer.headers["location"], trust_env=False)
    assert hashlib.sha256(fetched.content).hexdigest() == hashlib.sha256(data).hexdigest() == frame["sha256"]
    disposition = fetched.headers["content-disposition"]
    name = key.rsplit("/", 1)[-1]
    told = disposition.split("filename*=UTF-8''")[-1] if "filename*" in disposition else disposition.split('"')[1]
    assert (unquote(told) if "filename*" in disposition else told) == name.replace("/", "_")


def derived_of(archive: RunningArchive, key: str) -> list[str]:
    digest = object_digest(archive.bucket, key)
    return [o.key for o in archive.store.walk(archive.derived, prefix=f"frames/{digest[:2]}/{digest[2:4]}/{digest}/")]


def test_copies_of_an_event_and_a_deletion(archive: RunningArchive) -> None:
    key, data = "copies/once.fits", simulate_frame(OBJECT="copies").data
    for _ in range(2):
        archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=data)
    frame = archive.wait_for_frame(key)
    state = json.loads((archive.home / "state.json").read_text())
    door = f"http://127.0.0.1:{state['ports']['events']}/events"
    event = {"event_type": "create", "key": f"/buckets/frames/{key}", "message": {"new_entry": {"name": "once.fits"}}}
    secret = {"Authorization": f"Bearer {state['event_secret']}"}

    def deliver(_: int) -> int:
        return httpx.post(door, json=event, headers=secret, timeout=60, trust_env=False).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(deliver, range(20))) == {200}
    assert [found["id"] for found in archive.frames(basename="once") if found["key"] == key] == [frame["id"]]
    assert len(derived_of(archive, key)) == 3
    archive.s3.delete_object(Bucket=archive.bucket, Key=key)
    wait_until("the frame has gone", lambda: archive.frame_of(key) is None)
    wait_until("its derived objects have gone", lambda: derived_of(archive, key) == [])


def test_an_upload_in_parts_and_a_copy_are_frames(archive: RunningArchive) -> None:
    data = simulate_frame(name="big.fits", shape=(2048, 2048), OBJECT="parts").data
    assert len(data) > 6 << 20
    upload = archive.s3.create_multipart_upload(Bucket=archive.bucket, Key="parts/big.fits")
    parts = []
    for number, start in enumerate(range(0, len(data), 5 << 20), 1):
        part = archive.s3.upload_part(
            Bucket=archive.bucket,
            Key="parts/big.fits",
            UploadId=upload["UploadId"],
            PartNumber=number,
            Body=data[start : start + (5 << 20)],
        )
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    archive.s3.complete_multipart_upload(
        Bucket=archive.bucket,
        Key="parts/big.fits",
        UploadId=upload["UploadId"],
        MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]
    )
    frame = archive.wait_for_frame("parts/big.fits")
    assert (frame["size"], frame["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    archive.s3.copy_object(
        Bucket=archive.bucket, Key="parts/copy.fits", CopySource={"Bucket": archive.bucket, "Key": "parts/big.fits"}
    )
    assert archive.wait_for_frame("parts/copy.fits")["sha256"] == frame["sha256"]


def test_any_client_with_the_printed_keys_can_upload(archive: RunningArchive) -> None:
    """A boto3 client that is told nothing but address and keys, with its own defaults for checksums."""
    secret = archive.settings.s3_secret_key
    assert secret is not None
    plain = boto3.client(
        "s3",
        endpoint_url=archive.settings.s3_endpoint_url,
        aws_access_key_id=archive.settings.s3_access_key,
        aws_secret_access_key=secret.get_secret_value(),
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    data = simulate_frame(OBJECT="plain client").data
    plain.put_object(Bucket=archive.bucket, Key="plain/client.fits", Body=data)
    assert archive.wait_for_frame("plain/client.fits")["OBJECT"] == "plain client"


COMMAND = [sys.executable, "-c", "from shared.cli import main; main()"]


def run(archive: RunningArchive, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        env={"FITSVAULT_HOME": str(archive.home), "PATH": "", "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_command_line_upload(archive: RunningArchive, tmp_path: Path) -> None:
    folder = tmp_path / "night"
    (folder / "sub").mkdir(parents=True)
    (folder / "one.fits").write_bytes(simulate_frame(OBJECT="one").data)
    (folder / "sub" / "two.fits").write_bytes(simulate_frame(OBJECT="two").data)
    single = tmp_path / "single.fits"
    single.write_bytes(simulate_frame(OBJECT="single").data)
    done = run(archive, "upload", "--prefix", "cli/", str(folder), str(single))
    assert done.returncode == 0, done.stderr
    assert "3 of 3 files uploaded to frames" in done.stdout
    for key in ("cli/one.fits", "cli/sub/two.fits", "cli/single.fits"):
        archive.wait_for_frame(key)
    missing = run(archive, "upload", str(tmp_path / "nowhere.fits"))
    assert missing.returncode == 1
    assert "nowhere.fits" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_command_line_demo(archive: RunningArchive) -> None:
    done = run(archive, "demo", "--night", "2026-10-31", "--seed", "5")
    assert done.returncode == 0, done.stderr
    count = int(done.stdout.split(" of ")[0])
    assert count >= 30
    wait_until("the night is archived", lambda: archive.get("/frames/", night="2026-10-31")["count"] == count, 120)
    found = archive.frames(night="2026-10-31")
    assert {frame["IMAGECLASS"] for frame in found} >= {"bias", "dark", "flat", "object"}
    assert len({frame["FILTER"] for frame in found if frame["IMAGECLASS"] == "object"}) == 3
    reduced = [frame for frame in found if frame["RLEVEL"] > 0]
    assert reduced
    assert any(frame["related_frames"] for frame in reduced)
    wrong = run(archive, "demo", "--night", "yesterday")
    assert (wrong.returncode, "not a date" in wrong.stderr) == (1, True)


def test_command_line_failures(archive: RunningArchive) -> None:
    archive.s3.put_object(Bucket=archive.bucket, Key="failures/page.fits", Body=b"<!DOCTYPE html><html>")

    def listed() -> str:
        return run(archive, "failures", "--prefix", "failures/").stdout

    wait_until("the failure is recorded", lambda: "frames/failures/page.fits" in listed())
    assert "not-fits" in listed()
    assert "1 failure" in listed()
    archive.s3.put_object(Bucket=archive.bucket, Key="failures/page.fits", Body=simulate_frame().data)
    archive.wait_for_frame("failures/page.fits")
    assert "0 failures" in listed()
    assert run(archive, "reconcile", "--prefix", "failures/").stdout.startswith("0 unindexed")


def test_no_secret_in_any_log(archive: RunningArchive) -> None:
    secret = archive.settings.s3_secret_key
    assert secret is not None
    state = json.loads((archive.home / "state.json").read_text())
    link = archive.get(f"/frames/{archive.frames()[0]['id']}/download/", redirect="false")["url"]
    signature = link.split("X-Amz-Signature=")[1][:40]
    for path in (archive.home / "logs").iterdir():
        text = path.read_text(errors="replace")
        for hidden in (
            archive.token,
            secret.get_secret_value(),
            state["event_secret"],
            state["filer_secret"],
            signature,
        ):
            assert hidden not in text, path.name
    assert (archive.home / LOCAL_SETTINGS_FILE).stat().st_mode & 0o077 == 0
