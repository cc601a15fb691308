"""`fitsvault bundle` against a running archive that builds in its bucket."""

import io
import json
import zipfile
import zlib
from pathlib import Path

import pytest

from shared.simulator import simulate_frame
from tests.archive import RunningArchive
from tests.cli.conftest import Run

SITE = "clibundle"


@pytest.fixture(scope="module")
def night(archive: RunningArchive) -> dict[str, bytes]:
    written = {f"cli-bundle/{n}.fits": simulate_frame(SITEID=SITE, OBJECT=f"b{n}").data for n in range(3)}
    for key, data in written.items():
        archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=data)
    for key in written:
        archive.wait_for_frame(key)
    return written


def frames_in(data: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return [archive.read(name) for name in archive.namelist() if name.endswith(".fits")]


def test_a_query_becomes_one_file(run: Run, night: dict[str, bytes], tmp_path: Path) -> None:
    target = tmp_path / "night.zip"
    done = run("bundle", f"SITE={SITE}", "--output", str(target))
    assert (done.code, done.out) == (0, f"downloaded {target}: 3 frames, 0 left out\n"), done
    assert sorted(frames_in(target.read_bytes())) == sorted(night.values())
    again = run("bundle", f"SITE={SITE}", "--output", str(target))
    assert (again.code, again.out) == (0, f"complete {target}: 3 frames, 0 left out\n"), again


def test_a_file_that_broke_off_is_gone_on_with(run: Run, night: dict[str, bytes], tmp_path: Path) -> None:
    whole, target = tmp_path / "whole.zip", tmp_path / "broken.zip"
    assert run("bundle", f"SITE={SITE}", "--output", str(whole)).code == 0
    data = whole.read_bytes()
    part = tmp_path / f".broken.zip.{zlib.crc32(data):08x}.part"
    part.write_bytes(data[: len(data) // 3])
    assert run("bundle", f"SITE={SITE}", "--output", str(target)).code == 0
    assert target.read_bytes() == data
    assert not part.exists()
    target.write_bytes(b"mine")
    refused = run("bundle", f"SITE={SITE}", "--output", str(target))
    assert refused.code == 1
    assert "--overwrite replaces it, --output FILE gives" in refused.err
    assert "fitsvault bundle --bundle" in refused.err
    assert run("bundle", f"SITE={SITE}", "--output", str(target), "--overwrite").code == 0
    assert target.read_bytes() == data


def test_one_that_is_ordered_is_fetched_later(
    archive: RunningArchive, run: Run, night: dict[str, bytes], tmp_path: Path
) -> None:
    ids = [str(frame["id"]) for frame in archive.frames(SITE=SITE)][:2]
    told = json.loads(run("bundle", *ids, "--related", "--uncompress", "--no-wait").out)
    assert told["frames"] == 2
    assert told["asked"][1:] == ["with the frames that their headers name", "unpacked where they are in tiles"]
    done = run("bundle", "--bundle", told["id"], "--output", str(tmp_path))
    assert done.code == 0, done
    assert len(frames_in((tmp_path / told["filename"]).read_bytes())) == 2


@pytest.mark.parametrize(
    "words", [[], ["12", "--all"], ["SITE=x", "12"], ["--bundle", "f" * 32, "12"], ["--all", "--bundle", "f" * 32]]
)
def test_what_is_wanted_is_said_once(run: Run, words: list[str]) -> None:
    done = run("bundle", *words)
    assert (done.code, done.out) == (2, "")
    assert "either ids, or filters, or --all, or --bundle" in done.err


def test_what_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    assert run("bundle", "--bundle", "f" * 32).code == 1
    assert run("bundle", "--bundle", "../frames").code == 1
    assert run("bundle", "999999999").code == 1
    assert list(tmp_path.iterdir()) == []
