"""Uploads by the client of today, pyobs-core, to a running archive."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.simulator import simulate_frame
from tests.archive import RunningArchive
from tests.contract.conftest import PyobsClient

Call = Callable[..., Any]

pytestmark = [pytest.mark.archive, pytest.mark.timeout(1200)]


def written(folder: Path, site: str, count: int, **keywords: Any) -> list[Path]:
    """Write frames as cameras send them: the image is the primary HDU, named SCI."""
    folder.mkdir()
    for number in range(count):
        frame = simulate_frame(
            name=f"pyobs-{site}-{number}.fits", number=number, seed=number, SITEID=site, EXTNAME="SCI", **keywords
        )
        (folder / frame.name).write_bytes(frame.data)
    return sorted(folder.iterdir())


def test_upload_frames(call: Call, archive: RunningArchive, tmp_path: Path) -> None:
    files = written(tmp_path / "new", "uploaded", 3)
    sent = call("upload_frames", files=list(map(str, files)))
    found = archive.frames(SITE="uploaded")
    assert [frame["basename"] for frame in found] == [file.stem for file in files]
    images = call("download_frames", query={"site": "uploaded"})
    assert [image["pixels"] for image in images] == sent


def test_an_upload_again_keeps_the_ids(call: Call, archive: RunningArchive, tmp_path: Path) -> None:
    files = list(map(str, written(tmp_path / "first", "again", 2)))
    call("upload_frames", files=files)
    before = [frame["id"] for frame in archive.frames(SITE="again")]
    call("upload_frames", files=list(map(str, written(tmp_path / "second", "again", 2, OBJECT="M 13"))))
    after = archive.frames(SITE="again")
    assert [frame["id"] for frame in after] == before
    assert {frame["OBJECT"] for frame in after} == {"M 13"}


def test_what_is_wrong_with_an_upload_reaches_the_client(
    pyobs: PyobsClient, archive: RunningArchive, tmp_path: Path
) -> None:
    files = written(tmp_path / "bad", "faulty", 1, cards={"DAY-OBS": None})
    answer = pyobs.ask(archive, "upload_frames", files=list(map(str, files)))
    assert answer["raised"] == "ValueError"
    assert "Could not create file in archive: " in answer["text"]
    assert "Keyword 'DAY-OBS' not found." in answer["text"].replace("\\'", "'")
    assert archive.frames(SITE="faulty") == []


def test_a_file_of_the_virtual_file_system_is_an_upload(call: Call, archive: RunningArchive, tmp_path: Path) -> None:
    files = written(tmp_path / "files", "written", 2)
    call("ArchiveFile", files=list(map(str, files)))
    found = archive.frames(SITE="written")
    assert [frame["sha256"] for frame in found] == [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
