"""`fitsvault doctor` beside a running archive, well and ill."""

import datetime as dt
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from shared.cli.examinations.database import examine_backups, examine_database, examine_replica, examine_work
from shared.cli.examinations.finding import Finding, Verdict
from shared.cli.examinations.store import examine_notification, examine_store
from shared.cli.examinations.surroundings import examine_clock, examine_room, examine_settings
from shared.database import make_engine, make_session_factory, utc_now, write
from shared.index.models import Sweep
from shared.migrations import upgrade
from shared.settings import Settings
from shared.store.client import Store
from tests.archive import RunningArchive
from tests.cli.conftest import Run
from tests.postgres import new_database


def one(findings: Iterator[Finding]) -> Finding:
    """Return the only finding, or the worst."""
    found = list(findings)
    worst = [finding for finding in found if finding.verdict is Verdict.WRONG] or found
    assert len(worst) == 1, found
    return worst[0]


def changed(archive: RunningArchive, **changes: Any) -> tuple[Settings, Store]:
    settings = archive.settings.model_copy(update=changes)
    return settings, Store(settings, attempts=1)


def test_an_archive_that_is_well(run: Run) -> None:
    assert run("backup").code == 0
    done = run("doctor")
    assert done.code == 0, done
    assert done.out.endswith("nothing is wrong\n")
    parts = {line.split()[1] for line in done.out.splitlines() if line.startswith("ok ")}
    assert {"settings", "store", "database", "sweeps", "objects", "backups", "clock"} <= parts


def test_what_is_wrong_is_told_with_an_exit_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.settings import settings  # noqa: PLC0415

    monkeypatch.setenv("FITSVAULT_DERIVED_BUCKET", "nowhere-to-be-found")
    monkeypatch.setenv("FITSVAULT_BUKET", "frames")
    settings.cache_clear()
    done = run("doctor")
    assert done.code == 1, done
    assert "a bucket is missing" in done.out
    assert "did you mean FITSVAULT_BUCKET?" in done.out
    assert "1 wrong" in done.out


def test_an_index_that_is_lost_is_told_with_all_the_rest(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from shared.settings import settings  # noqa: PLC0415

    monkeypatch.setenv("FITSVAULT_DATABASE_URL", f"sqlite:///{tmp_path / 'nowhere.sqlite'}")
    settings.cache_clear()
    done = run("doctor")
    assert done.code == 1, done
    assert "nowhere.sqlite" in done.out
    assert "fitsvault restore" in done.out
    assert "1 wrong" in done.out


def test_a_store_that_is_away_refuses_or_lacks_a_bucket(archive: RunningArchive) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = one(examine_store(*changed(archive, s3_endpoint_url=f"http://127.0.0.1:{taken.getsockname()[1]}")))
    assert "does not answer" in away.words
    assert "refuses" in one(examine_store(*changed(archive, s3_secret_key=SecretStr("wrong" * 8)))).words
    assert "missing" in one(examine_store(*changed(archive, bucket="nowhere"))).words


def test_databases_that_cannot_be_used(tmp_path: Path) -> None:
    away = make_session_factory(make_engine("postgresql+psycopg://nobody@127.0.0.1:9/nothing?connect_timeout=1"))
    assert "no answer" in one(examine_database(away)).words
    engine = make_engine(f"sqlite:///{tmp_path / 'index.sqlite'}")
    sessions = make_session_factory(engine)
    assert "run `fitsvault db upgrade`" in one(examine_database(sessions)).words
    upgrade(engine)
    assert one(examine_database(sessions)).verdict is Verdict.OK
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer" in one(examine_database(sessions)).words
    engine.dispose()


def test_a_replica_that_is_away(archive: RunningArchive) -> None:
    settings, _ = changed(
        archive, database_read_url=SecretStr("postgresql+psycopg://x@127.0.0.1:9/x?connect_timeout=1")
    )
    assert one(examine_replica(settings)).verdict is Verdict.WRONG


@pytest.mark.parametrize(("seconds", "verdict"), [(60, Verdict.OK), (10 * 86400, Verdict.WRONG), (None, Verdict.NOTE)])
def test_sweeps_that_nobody_makes(
    archive: RunningArchive, tmp_path: Path, seconds: int | None, verdict: Verdict
) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'index.sqlite'}")
    upgrade(engine)
    sessions = make_session_factory(engine)
    if seconds is not None:
        begun = utc_now() - dt.timedelta(seconds=seconds)
        with write(sessions) as session:
            session.add(Sweep(bucket=archive.bucket, prefix="", scope="all", begun_at=begun, ended_at=None))
    (found,) = [each for each in examine_work(archive.settings, sessions) if each.part == "sweeps"]
    assert found.verdict is verdict
    assert (verdict is Verdict.OK) or "ingest host" in found.words
    engine.dispose()


def test_backups_that_are_too_old(archive: RunningArchive) -> None:
    settings, store = changed(archive, derived_bucket="doctors-derived", backup_seconds=60.0)
    store.ensure_bucket(settings.derived_bucket)
    assert one(examine_backups(settings, store)).verdict is Verdict.NOTE
    store.write_bytes(settings.derived_bucket, "backups/fitsvault-20260101T000000Z.jsonl.gz", b"", "x")
    late = one(examine_backups(settings, store))
    assert late.verdict is Verdict.WRONG
    assert "days old" in late.words


@pytest.mark.parametrize(
    ("apart", "verdict", "words"),
    [(0, "ok", "agrees"), (60, "note", "ahead of"), (-3600, "wrong", "behind"), (3600, "wrong", "NTP")],
)
def test_clocks_that_differ(archive: RunningArchive, postgres: str, apart: int, verdict: str, words: str) -> None:
    sessions = make_session_factory(make_engine(new_database(postgres, f"clock_{apart}".replace("-", "m"))))
    now = utc_now() + dt.timedelta(seconds=apart)
    found = list(examine_clock(archive.settings, Store(archive.settings), sessions, now))
    assert [finding.verdict for finding in found] == [verdict, verdict]
    assert all(words in finding.words for finding in found)
    sessions.kw["bind"].dispose()


def test_settings_that_parts_refuse(archive: RunningArchive, tmp_path: Path) -> None:
    settings, _ = changed(archive, path_formatter="{", derived_bucket=archive.bucket, work_dir=tmp_path / "a" / "b")
    found = list(examine_settings(settings, {}))
    assert [finding.verdict for finding in found] == [Verdict.WRONG] * 2
    assert one(examine_room(settings)).part == "work folder"
    assert not (tmp_path / "a").exists()


def test_a_store_that_cannot_be_asked_whom_it_tells(archive: RunningArchive) -> None:
    assert one(examine_notification(archive.settings, archive.store)).verdict is Verdict.NOTE
    settings, store = changed(archive, trigger="scan")
    assert one(examine_notification(settings, store)).verdict is Verdict.OK
