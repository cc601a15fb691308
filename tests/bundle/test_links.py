import csv
import io
import json
import os
import subprocess
from pathlib import Path

import pytest

from shared.bundle.links import aria2_input, csv_manifest, json_manifest, wget_script
from shared.index.bundles import BundleFrame
from tests.bundle.layouts import MOMENT

FRAMES = [
    BundleFrame(n, name, "frames", f"k{n}", "e", None, 10, 7, MOMENT, MOMENT, sha256=f"{n:064x}")
    for n, name in enumerate(["a.fits", "A.fits", "it's $(touch hacked) `x`.fits", "-rf.fits"])
]


def link_of(frame_id: int) -> str:
    return f"https://archive.example.org/frames/{frame_id}/download/?a='b'"


def test_a_manifest_names_links_and_files_that_do_not_collide() -> None:
    told = json.loads(json_manifest(FRAMES, link_of, ["night=2026-11-20"]))
    assert (told["asked"], told["count"], told["bytes"]) == (["night=2026-11-20"], 4, 40)
    assert [file["file"] for file in told["files"]][:2] == ["a.fits", "A-2.fits"]
    assert [file["url"] for file in told["files"]] == [link_of(n) for n in range(4)]
    rows = list(csv.DictReader(io.StringIO(csv_manifest(FRAMES, link_of).decode())))
    assert [(row["file"], row["url"], row["sha256"]) for row in rows] == [
        (file["file"], file["url"], file["sha256"]) for file in told["files"]
    ]


def test_aria2_is_told_name_and_checksum() -> None:
    blocks = aria2_input(FRAMES, link_of).decode().split("https://")[1:]
    assert len(blocks) == 4
    assert "\n  out=A-2.fits\n" in blocks[1]
    assert f"\n  checksum=sha-256={1:064x}\n" in blocks[1]


def test_the_script_does_nothing_but_fetch(tmp_path: Path) -> None:
    """A stand-in for wget writes down what it is told, and finds the token in its configuration alone."""
    stand_in = tmp_path / "bin" / "wget"
    stand_in.parent.mkdir()
    stand_in.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" >> "$LOG"\ncat "${1#--config=}" > "$LOG.config"\n'
        'printf x > "${4#--output-document=}"\n'
    )
    stand_in.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    environment = {"PATH": f"{stand_in.parent}:{os.environ['PATH']}", "LOG": str(tmp_path / "log")}
    script = wget_script(FRAMES, link_of)
    without = subprocess.run(["sh"], input=script, cwd=work, env=environment, capture_output=True, check=False)
    assert without.returncode != 0
    assert b"FITSVAULT_TOKEN" in without.stderr
    environment["FITSVAULT_TOKEN"] = "secret"
    answer = subprocess.run(["sh"], input=script, cwd=work, env=environment, capture_output=True, check=False)
    assert answer.returncode != 0, "the sums are of other bytes"
    assert b"WARNING" in answer.stderr
    assert sorted(path.name for path in work.iterdir()) == sorted(
        ["a.fits", "A-2.fits", "it's $(touch hacked) `x`.fits", "-rf.fits"]
    )
    told = (tmp_path / "log").read_text()
    assert "secret" not in told
    assert [line for line in told.splitlines() if line.startswith("https")] == [link_of(n) for n in range(4)]
    assert (tmp_path / "log.config").read_text() == "header = Authorization: Token secret\n"


@pytest.mark.parametrize("render", [csv_manifest, wget_script, aria2_input])
def test_no_frames_are_an_empty_list(render: object) -> None:
    assert callable(render)
    assert b"https" not in render([], link_of)
