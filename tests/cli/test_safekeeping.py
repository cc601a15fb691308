"""`fitsvault backup` and `fitsvault restore`, beside a running archive."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from functions.api.app import create_app
from shared.backup.keeping import backups
from shared.settings import Settings, settings
from shared.simulator import simulate_frame
from tests.archive import RunningArchive
from tests.cli.conftest import Run


@pytest.fixture
def other(archive: RunningArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same buckets with a database that is lost."""
    lost = archive.settings.model_copy(update={"home": tmp_path / "other", "database_url": None})
    for name in ("s3_endpoint_url", "s3_access_key"):
        monkeypatch.setenv(f"FITSVAULT_{name.upper()}", str(getattr(lost, name)))
    assert lost.s3_secret_key is not None
    monkeypatch.setenv("FITSVAULT_S3_SECRET_KEY", lost.s3_secret_key.get_secret_value())
    return lost


def use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITSVAULT_HOME", str(home))
    settings.cache_clear()


def answers(client: TestClient, key: str) -> list[Any]:
    """Return what the archive says of its frames to whoever has the key."""
    headers = {"Authorization": f"Token {key}"}
    paths = ["/frames/?undated=true&limit=500&ordering=id", "/frames/aggregate/?undated=true"]
    found: list[Any] = []
    for path in paths:
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
    return found


def test_an_archive_comes_back_from_its_bucket_and_one_backup(
    archive: RunningArchive, other: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("user", "add", "--role", "staff", "--password-stdin", "keeper", typed="a secret\n")
    key = run("token", "new", "keeper").out.strip()
    for number in range(3):
        archive.s3.put_object(Bucket=archive.bucket, Key=f"safe/{number}.fits", Body=simulate_frame().data)
    archive.s3.put_object(Bucket=archive.bucket, Key="safe/broken.fits", Body=b"SIMPLE  =")
    for number in range(3):
        archive.wait_for_frame(f"safe/{number}.fits")
    assert run("wait", "safe/broken.fits").code == 1
    done = run("backup")
    assert done.code == 0, done
    assert "frames" in done.out
    assert "a secret" not in done.out
    with TestClient(create_app(archive.settings)) as client:
        before = answers(client, key)
    failures = run("failures", "--prefix", "safe/").out

    use(other.home, monkeypatch)
    done = run("restore")
    assert done.code == 0, done
    assert re.search(r"restored backups/fitsvault-\d{8}T\d{6}Z\.jsonl\.gz of", done.out)
    with TestClient(create_app(other)) as client:
        assert answers(client, key) == before
    assert run("failures", "--prefix", "safe/").out == failures
    checked = run("check", "--prefix", "safe/")
    assert checked.code == 0, checked
    assert (again := run("restore")).code == 2, again
    assert "--force replaces them" in again.err
    assert run("restore", "--force").code == 0


def test_files_are_private_and_serve_as_well(run: Run, other: Settings, tmp_path: Path, monkeypatch: Any) -> None:
    file = tmp_path / "index.jsonl.gz"
    assert run("backup", "--file", str(file)).code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert run("backup", "--file", str(file)).code == 2
    names = run("user", "list").out
    use(other.home, monkeypatch)
    assert run("restore", "--file", str(file)).code == 0
    assert run("user", "list").out == names


def test_the_oldest_go_and_nothing_else(archive: RunningArchive, run: Run) -> None:
    old = [f"backups/fitsvault-2020010{day}T000000Z.jsonl.gz" for day in (1, 2, 3)]
    for name in (*old, "backups/of-somebody-else.gz"):
        archive.s3.put_object(Bucket=archive.derived, Key=name, Body=b"")
    done = run("backup", "--keep", "2")
    assert done.code == 0, done
    left = [state.key for state in backups(archive.settings, archive.store)]
    assert len(left) == 2
    assert old[0] not in left
    listed = run("backup", "--list").out.splitlines()
    assert [line.split()[0] for line in listed] == [name.removeprefix("backups/") for name in left]
    there = archive.s3.list_objects_v2(Bucket=archive.derived, Prefix="backups/")["Contents"]
    assert "backups/of-somebody-else.gz" in [entry["Key"] for entry in there]


@pytest.mark.parametrize("what", ["no backup", "another bucket", "a later schema", "an older schema"])
def test_what_does_not_fit_is_refused(
    what: str, run: Run, other: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "index.jsonl.gz"
    assert run("backup", "--file", str(file)).code == 0
    use(other.home, monkeypatch)
    if what == "no backup":
        done, words = run("restore", "fitsvault-none"), "no backup fitsvault-none in the bucket"
    elif what == "another bucket":
        monkeypatch.setenv("FITSVAULT_BUCKET", "elsewhere")
        settings.cache_clear()
        done, words = run("restore", "--file", str(file)), "the backup is of the bucket frames"
    else:
        assert run("restore", "--file", str(file)).code == 0
        revision = "9999" if what == "a later schema" else "0007"
        with sqlite3.connect(other.home / "index.sqlite") as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.close()
        done, words = run("restore", "--file", str(file), "--force"), f"the database has schema {revision}"
    assert done.code != 0
    assert words in done.err
