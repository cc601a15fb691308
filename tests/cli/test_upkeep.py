"""`fitsvault check`, `reindex` and `failures --retry` against a running archive."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from shared.database import make_engine, make_session_factory, write
from shared.index.bulk import put_frames
from shared.index.models import Combination
from shared.settings import settings
from shared.simulator import simulate_frame
from shared.store.naming import object_digest
from tests.archive import REPOSITORY, RunningArchive, wait_until
from tests.cli.conftest import Run
from tests.index.factory import make_record

AGREES = "0 unindexed, 0 phantom, 0 stale, 0 derived-missing, 0 derived-orphan"


def put(archive: RunningArchive, *keys: str) -> None:
    for key in keys:
        archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=simulate_frame(OBJECT=key, shape=(16, 16)).data)
    for key in keys:
        archive.wait_for_frame(key)


def derived_of(archive: RunningArchive, key: str) -> list[str]:
    digest = object_digest(archive.bucket, key)
    return [o.key for o in archive.store.walk(archive.derived, prefix=f"frames/{digest[:2]}/{digest[2:4]}/{digest}/")]


def test_check_reports_first_and_repairs_by_choice(archive: RunningArchive, run: Run) -> None:
    put(archive, "cli-check/a.fits", "cli-check/b.fits")
    words = ("check", "--prefix", "cli-check/")
    agrees = run(*words, "--checksums")
    assert (agrees.code, agrees.out) == (0, f"{AGREES}, 0 checksum\n"), agrees
    lost = derived_of(archive, "cli-check/a.fits")
    archive.store.delete(archive.derived, tuple(lost))
    for _ in range(2):
        differs = run(*words)
        assert differs.code == 1, differs
        assert "derived-missing  cli-check/a.fits  (headers.json, preview-large, preview-small.png)" in differs.out
    repaired = run(*words, "--repair")
    assert (repaired.code, "repaired" in repaired.out) == (0, True), repaired
    assert sorted(derived_of(archive, "cli-check/a.fits")) == sorted(lost)
    assert run(*words).code == 0


def test_what_could_not_be_checked_is_not_said_to_agree(
    run: Run, archive: RunningArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = archive.settings.s3_secret_key
    assert secret is not None
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("FITSVAULT_S3_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.setenv("FITSVAULT_S3_ACCESS_KEY", "x")
        monkeypatch.setenv("FITSVAULT_S3_SECRET_KEY", secret.get_secret_value())
        settings.cache_clear()
        done = run("check", "--prefix", "cli-check/")
        assert (done.code, "not checked to the end" in done.err) == (2, True), done
        away = run("reconcile")
        assert away.code == 3, away
        assert secret.get_secret_value() not in done.err + away.err


def test_frames_that_are_all_gone_are_kept_until_it_is_told_to(
    archive: RunningArchive, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.ingest.brake._FEW", 2)
    engine = make_engine(archive.settings.effective_database_url)
    keys = [f"cli-gone/{name}.fits" for name in "abc"]
    with write(make_session_factory(engine)) as session:
        put_frames(session, (make_record(bucket=archive.bucket, key=key) for key in keys))
    engine.dispose()
    prefix = ("--prefix", "cli-gone/")
    for words in (("check", "--repair", *prefix), ("reconcile", *prefix)):
        done = run(*words)
        assert (done.code, "3 of 3 frames have no object" in done.err) == (1, True), done
        assert "fitsvault reconcile --prefix 'cli-gone/' --remove-missing" in done.err
        assert all(archive.frame_of(key) for key in keys)
    done = run("reconcile", *prefix, "--remove-missing")
    assert (done.code, "3 phantom" in done.out) == (0, True), done
    assert not any(archive.frame_of(key) for key in keys)
    assert run("check", *prefix).out.startswith(AGREES)


def test_check_repairs_a_few_frames_that_are_gone(archive: RunningArchive, run: Run) -> None:
    engine = make_engine(archive.settings.effective_database_url)
    with write(make_session_factory(engine)) as session:
        put_frames(session, [make_record(bucket=archive.bucket, key="cli-few/a.fits")])
    engine.dispose()
    done = run("check", "--repair", "--prefix", "cli-few/")
    assert (done.code, "phantom  cli-few/a.fits  repaired" in done.out) == (0, True), done


def test_reindex_reads_again_and_goes_on_behind_a_key(archive: RunningArchive, run: Run) -> None:
    keys = [f"cli-reindex/{name}.fits" for name in "abc"]
    put(archive, *keys)
    archive.store.delete(archive.derived, tuple(derived_of(archive, keys[0]) + derived_of(archive, keys[2])))
    done = run("reindex", "--prefix", "cli-reindex/", "--after", keys[0])
    assert (done.code, done.out) == (0, "2 indexed, 0 removed, 0 failed\n"), done
    assert [bool(derived_of(archive, key)) for key in keys] == [False, True, True]
    assert run("reindex", "--prefix", "cli-reindex/").out == "3 indexed, 0 removed, 0 failed\n"
    assert derived_of(archive, keys[0])
    assert run("reindex").code == 2
    assert run("reindex", "--all", "--prefix", "x").code == 2


def test_failures_are_tried_again(archive: RunningArchive, run: Run) -> None:
    for name in "ab":
        archive.s3.put_object(Bucket=archive.bucket, Key=f"cli-retry/{name}.fits", Body=b"<html>")

    def listed() -> str:
        return run("failures", "--prefix", "cli-retry/").out

    wait_until("both are recorded", lambda: "2 failures" in listed())
    done = run("failures", "--retry", "cli-retry/a.fits")
    assert (done.code, done.out) == (1, "0 indexed, 0 removed, 1 failed\n"), done
    assert "not indexed cli-retry/a.fits: not-fits" in done.err
    assert "tried 2 times" in listed()
    assert run("failures", "--retry", f"{archive.bucket}/cli-retry/a.fits").code == 1
    every = run("failures", "--retry-all", "--prefix", "cli-retry/", "--kind", "not-fits")
    assert every.out == "0 indexed, 0 removed, 2 failed\n", every
    assert "no failure of nothing" in run("failures", "--retry", "nothing").err
    for words in (("--retry",), ("--retry-all", "x"), ("x",)):
        assert run("failures", *words).code == 2


HEED_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""A shell that runs the tests in the background has them, and whatever they start, ignore it."""


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(archive: RunningArchive, run: Run, tmp_path: Path) -> None:
    data = simulate_frame(OBJECT="interrupted", shape=(16, 16)).data
    for number in range(200):
        (tmp_path / f"{number:03}.fits").write_bytes(data)
    words = ["ingest", "--prefix", "cli-interrupted/", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-c", f"{HEED_CTRL_C}; from shared.cli import main; main()", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until("it is at work", lambda: any(archive.store.walk(archive.bucket, prefix="cli-interrupted/")))
    process.send_signal(signal.SIGINT)
    output, complaints = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, ""), complaints
    assert "Traceback" not in complaints
    assert "interrupted" in complaints
    sent = sum(1 for _ in archive.store.walk(archive.bucket, prefix="cli-interrupted/"))
    assert 0 < sent < 200
    done = run(*words)
    assert done.code == 0, done
    assert sum(map(int, (word for word in done.out.split() if word.isdigit()))) == 200


def test_counts_are_proved_and_rebuilt(archive: RunningArchive, run: Run) -> None:
    put(archive, "cli-counts/a.fits")
    assert run("counts").out == "all counts are right\n"
    engine = make_engine(archive.settings.effective_database_url)
    with write(make_session_factory(engine)) as session:
        session.execute(update(Combination).values(dated=Combination.dated + 1))
    engine.dispose()
    wrong = run("counts")
    assert (wrong.code, "combinations: " in wrong.out, "--rebuild" in wrong.out) == (1, True, True), wrong
    assert run("counts", "--rebuild").code == 0
    assert run("counts").code == 0
