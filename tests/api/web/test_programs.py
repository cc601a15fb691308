"""What the search page offers to programs, typed in as it is."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from functions.api.web.examples import examples
from functions.api.web.search import read_search
from shared.bundle.inside import RESERVED
from shared.simulator import simulate_frame
from tests.archive import ADMIN_PASSWORD, RunningArchive
from tests.parts import need_program

OBJECT = "it's for programs"

pytestmark = pytest.mark.archive


@pytest.fixture(scope="module")
def contents(archive: RunningArchive) -> dict[str, bytes]:
    found = {f"program-{number}.fits": simulate_frame(OBJECT=OBJECT, number=number).data for number in (1, 2)}
    for name, data in found.items():
        archive.s3.put_object(Bucket=archive.bucket, Key=f"programs/{name}", Body=data)
    for name in found:
        archive.wait_for_frame(f"programs/{name}")
    return found


def run(archive: RunningArchive, name: str, folder: Path, *, typed: str = "") -> None:
    """Run one of the examples with an interpreter of its language; ``typed`` is what its user types."""
    text = dict(examples(f"{archive.url}/", "admin", read_search([("OBJECT", OBJECT)])))[name]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "FITSVAULT_TOKEN": archive.token,
        "no_proxy": "*",
    }
    if name == "A token":
        text += '\nprintf %s "$FITSVAULT_TOKEN" > token'
    command = [sys.executable, "-c", text] if name == "Python" else ["sh", "-e", "-c", text]
    subprocess.run(
        command,
        input=typed.encode(),
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        timeout=60,
        start_new_session=True,
    )


def zipped(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        return sorted(archive.read(name) for name in archive.namelist() if name.split("/")[-1] not in RESERVED)


def test_a_password_gives_a_token(archive: RunningArchive, tmp_path: Path) -> None:
    run(archive, "A token", tmp_path, typed=f"{ADMIN_PASSWORD}\n")
    given = {"Authorization": f"Token {(tmp_path / 'token').read_text()}"}
    assert archive.http.get("/frames/", headers=given).status_code == 200


@pytest.mark.parametrize("name", ["curl", "wget"])
def test_the_zip_has_the_frames_of_the_search(
    archive: RunningArchive, contents: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    need_program(name, f"Debian: apt install {name}")
    run(archive, name, tmp_path)
    assert zipped(tmp_path / "frames.zip") == sorted(contents.values())
    run(archive, name, tmp_path)  # what an earlier search left behind is not gone on with
    assert zipped(tmp_path / "frames.zip") == sorted(contents.values())


@pytest.mark.parametrize("name", ["wget", "Python"])
def test_one_by_one_they_are_the_frames_of_the_search(
    archive: RunningArchive, contents: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    need_program("wget", "Debian: apt install wget")
    run(archive, name, tmp_path)
    assert sorted(path.read_bytes() for path in tmp_path.glob("*.fits")) == sorted(contents.values())
