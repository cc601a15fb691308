"""`fitsvault ingest`: what is there is left alone, what is new is waited for, what is broken is told."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cli.sources import copied_key, parse_source
from shared.errors import StoreError
from shared.simulator import simulate_frame
from shared.store.client import Store
from tests.archive import RunningArchive
from tests.cli.conftest import Run


def night(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(simulate_frame(OBJECT=name, shape=(32, 32)).data)
    return folder


def test_a_folder_is_indexed_when_the_command_ends(archive: RunningArchive, run: Run, tmp_path: Path) -> None:
    folder = night(tmp_path / "night", "one.fits", "sub/two.fits", "sub/three.fits")
    done = run("ingest", "--prefix", "ingest/first/", str(folder))
    assert (done.code, done.out) == (0, "3 indexed, 0 unchanged, 0 failed\n"), done
    assert {f["key"] for f in archive.frames() if f["key"].startswith("ingest/first/")} == {
        "ingest/first/one.fits",
        "ingest/first/sub/two.fits",
        "ingest/first/sub/three.fits",
    }


def test_run_again_it_sends_only_what_is_new_or_differs(archive: RunningArchive, run: Run, tmp_path: Path) -> None:
    folder = night(tmp_path / "night", "a.fits", "b.fits")
    assert run("ingest", "--prefix", "ingest/again/", str(folder)).code == 0
    before = archive.store.head(archive.bucket, "ingest/again/a.fits")
    night(folder, "c.fits")
    data = bytearray((folder / "b.fits").read_bytes())
    data[-2000] ^= 1
    (folder / "b.fits").write_bytes(data)
    done = run("ingest", "--prefix", "ingest/again/", str(folder))
    assert (done.code, done.out) == (0, "2 indexed, 1 unchanged, 0 failed\n"), done
    assert archive.store.head(archive.bucket, "ingest/again/a.fits") == before
    assert archive.s3.get_object(Bucket=archive.bucket, Key="ingest/again/b.fits")["Body"].read() == bytes(data)


def test_an_object_in_parts_is_known_again(archive: RunningArchive, run: Run, tmp_path: Path) -> None:
    """Its ETag is no digest of the file; the index knows the file's SHA-256."""
    folder = night(tmp_path / "night", "parts.fits")
    data = simulate_frame(name="parts.fits", shape=(2048, 2048)).data
    (folder / "parts.fits").write_bytes(data)
    key = "ingest/parts/parts.fits"
    upload = archive.s3.create_multipart_upload(Bucket=archive.bucket, Key=key)
    part = {"Bucket": archive.bucket, "Key": key, "UploadId": upload["UploadId"]}
    cut = 5 << 20
    etags = [
        archive.s3.upload_part(**part, PartNumber=number, Body=piece)["ETag"]  # type: ignore[arg-type]
        for number, piece in enumerate((data[:cut], data[cut:]), 1)
    ]
    archive.s3.complete_multipart_upload(
        **part,  # type: ignore[arg-type]
        MultipartUpload={"Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]},
    )
    archive.wait_for_frame(key)
    done = run("ingest", "--prefix", "ingest/parts/", str(folder))
    assert done.out == "0 indexed, 1 unchanged, 0 failed\n", done


def test_what_is_broken_is_told_with_its_reason(archive: RunningArchive, run: Run, tmp_path: Path) -> None:
    folder = night(tmp_path / "night", "good.fits")
    (folder / "page.fits").write_bytes(b"<!DOCTYPE html>")
    done = run("ingest", "--prefix", "ingest/broken/", str(folder))
    assert (done.code, done.out) == (1, "1 indexed, 0 unchanged, 1 failed\n"), done
    assert "not indexed ingest/broken/page.fits: not-fits" in done.err
    whole = (folder / "good.fits").read_bytes()
    (folder / "page.fits").write_bytes(whole[: len(whole) - 2880])
    cut = run("ingest", "--prefix", "ingest/broken/", str(folder / "page.fits"))
    assert "not indexed ingest/broken/page.fits: truncated: HDU" in cut.err, cut
    again = run("ingest", "--prefix", "ingest/broken/", str(folder))
    assert (again.code, again.out) == (1, "0 indexed, 1 unchanged, 1 failed\n"), again


def test_one_key_for_two_files_is_refused(run: Run, tmp_path: Path) -> None:
    first, second = night(tmp_path / "1", "x.fits"), night(tmp_path / "2", "x.fits")
    for command in ("ingest", "upload"):
        done = run(command, str(first), str(second))
        assert done.code == 1
        assert "more than one file would become x.fits" in done.err


def test_missing_paths_and_stores_end_with_a_reason(run: Run, tmp_path: Path) -> None:
    assert run("ingest", str(tmp_path / "nowhere.fits")).code == 1
    done = run("ingest", "s3://no-such-bucket/x/")
    assert done.code == 1
    assert "no-such-bucket" in done.err


@pytest.mark.parametrize("command", ["ingest", "upload", "demo"])
def test_a_store_that_is_away_is_told_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    folder = night(tmp_path / "night", "a.fits", "b.fits")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("FITSVAULT_S3_ACCESS_KEY", "key")
        monkeypatch.setenv("FITSVAULT_S3_SECRET_KEY", "secret")
        monkeypatch.setenv("FITSVAULT_S3_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        done = run(command, *([] if command == "demo" else [str(folder)]))
    assert (done.code, done.out, done.err.count("Could not connect")) == (3, "", 1), done


def test_keys_that_may_only_write_are_enough_to_upload(
    archive: RunningArchive, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_store: Store, bucket: str) -> None:
        raise StoreError(f"look at {bucket}/: 403 Forbidden")

    monkeypatch.setattr(Store, "check_bucket", refuse)
    done = run("upload", "--prefix", "ingest/writer/", str(night(tmp_path / "night", "a.fits")))
    assert (done.code, done.out) == (0, f"1 of 1 files uploaded to {archive.bucket}\n"), done
    archive.wait_for_frame("ingest/writer/a.fits")


@pytest.mark.parametrize("command", ["ingest", "upload"])
def test_a_pipe_is_refused_and_not_waited_for(run: Run, tmp_path: Path, command: str) -> None:
    os.mkfifo(tmp_path / "pipe.fits")
    done = run(command, str(tmp_path / "pipe.fits"))
    assert (done.code, "Not a file" in done.err) == (1, True), done


def test_another_bucket_is_copied_inside_the_store(archive: RunningArchive, run: Run) -> None:
    archive.store.ensure_bucket("incoming")
    for name in ("2026/11/a.fits", "2026/11/b.fits", "2026/12/c.fits", "2026/11/"):
        body = b"" if name.endswith("/") else simulate_frame(OBJECT=name, shape=(32, 32)).data
        archive.s3.put_object(Bucket="incoming", Key=name, Body=body)
    done = run("ingest", "--prefix", "ingest/copied/", "s3://incoming/2026/11/")
    assert (done.code, done.out) == (0, "2 indexed, 0 unchanged, 0 failed\n"), done
    assert archive.frame_of("ingest/copied/a.fits")
    again = run("ingest", "--prefix", "ingest/copied/", "s3://incoming/2026/11/")
    assert again.out == "0 indexed, 2 unchanged, 0 failed\n", again


def test_the_own_bucket_is_settled(archive: RunningArchive, run: Run) -> None:
    archive.s3.put_object(Bucket=archive.bucket, Key="ingest/own/a.fits", Body=simulate_frame(OBJECT="own").data)
    archive.wait_for_frame("ingest/own/a.fits")
    done = run("ingest", f"s3://{archive.bucket}/ingest/own/")
    assert (done.code, done.out) == (0, "0 indexed, 1 unchanged, 0 failed\n"), done


@given(st.text(st.sampled_from("ab/"), max_size=6), st.text(st.sampled_from("ab/"), max_size=6))
def test_copies_of_different_keys_have_different_keys(asked: str, rest: str) -> None:
    folder = asked[: asked.rfind("/") + 1]
    assert copied_key(asked + rest, asked, "p/") == "p/" + (asked + rest)[len(folder) :]


def test_sources() -> None:
    assert parse_source("s3://b").bucket == "b"
    assert parse_source("s3://b/a//c").path == "a//c"
    assert parse_source("./s3:/x").bucket is None
