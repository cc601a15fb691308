"""Ingest leads the index to what the object is, whatever is told about it."""

import contextlib
import datetime as dt
import hashlib
import random
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from shared.database import read, utc_now, write
from shared.errors import StoreUnavailableError
from shared.index.attempts import begin_attempt
from shared.index.models import Attempt
from shared.ingest.service import Ingester
from shared.settings import Settings, plain_settings
from shared.simulator import simulate_frame
from shared.store.client import Store
from shared.store.naming import CATALOG, derived_key, derived_keys
from tests.ingest.conftest import Room

FRAME = simulate_frame(OBJECT="M 51").data
OTHER = simulate_frame(OBJECT="M 67").data
BROKEN = FRAME[: len(FRAME) // 2]


def without_catalog(digest: str) -> set[str]:
    """Return the keys of what is derived from a frame that has no table CAT."""
    return set(derived_keys(digest)) - {derived_key(digest, CATALOG)}


def test_an_object_becomes_a_frame(room: Room) -> None:
    room.put("night/m51.fits", FRAME)
    assert room.settle("night/m51.fits") == "indexed"
    frame = room.frame("night/m51.fits")
    assert frame is not None
    state = room.store.head(room.settings.bucket, "night/m51.fits")
    assert (frame.object_name, frame.basename, frame.filename) == ("M 51", "m51", "m51.fits")
    assert (frame.etag, frame.size, frame.last_modified) == (state.etag, len(FRAME), state.last_modified)
    assert frame.sha256 == hashlib.sha256(FRAME).hexdigest()
    assert frame.crc32 == zlib.crc32(FRAME)
    assert room.derived() == without_catalog(frame.digest)
    preview = room.store.read_bytes(room.settings.derived_bucket, derived_keys(frame.digest)[1], 1 << 20)
    assert preview.startswith(b"\x89PNG")


def test_a_catalogue_comes_and_goes_with_its_object(room: Room) -> None:
    room.put("a.fits", simulate_frame(catalog=True).data)
    room.settle("a.fits")
    frame = room.frame("a.fits")
    assert frame is not None
    assert room.derived() == set(derived_keys(frame.digest))
    csv = room.store.read_bytes(room.settings.derived_bucket, derived_key(frame.digest, CATALOG), 1 << 20)
    assert csv.startswith(b"x,y,ra,dec,flux,")
    assert frame.catalog_rows == csv.count(b"\n") - 1 > 0
    room.put("a.fits", FRAME)
    room.settle("a.fits")
    after = room.frame("a.fits")
    assert after is not None
    assert after.catalog_rows is None
    assert room.derived() == without_catalog(after.digest)


def test_the_same_again_changes_nothing(room: Room) -> None:
    room.put("a.fits", FRAME)
    room.settle("a.fits")
    before, derived = room.frame("a.fits"), room.derived()
    assert before is not None
    assert room.settle("a.fits") == "unchanged"
    assert room.settle("a.fits", force=True) == "indexed"
    after = room.frame("a.fits")
    assert after is not None
    kept = {name: value for name, value in vars(before).items() if name not in ("_sa_instance_state", "updated_at")}
    assert kept == {name: getattr(after, name) for name in kept}
    assert room.derived() == derived


def test_another_object_replaces_and_keeps_the_id(room: Room) -> None:
    room.put("a.fits", FRAME)
    room.settle("a.fits")
    before = room.frame("a.fits")
    room.put("a.fits", OTHER)
    assert room.settle("a.fits") == "indexed"
    after = room.frame("a.fits")
    assert before is not None
    assert after is not None
    assert (after.id, after.object_name) == (before.id, "M 67")
    assert room.derived() == without_catalog(after.digest)


def test_a_deleted_object_leaves_nothing(room: Room) -> None:
    room.put("a.fits", FRAME)
    room.settle("a.fits")
    room.delete("a.fits")
    assert room.settle("a.fits") == "removed"
    assert room.frame("a.fits") is None
    assert room.derived() == set()
    assert room.settle("a.fits") == "removed"


def test_an_object_that_goes_after_its_reader_was_killed_leaves_nothing(room: Room) -> None:
    with write(room.sessions) as session:
        begin_attempt(session, room.settings.bucket, "a.fits", "an ETag")
    assert room.settle("a.fits") == "removed"
    with read(room.sessions) as session:
        assert session.scalars(select(Attempt)).all() == []


def test_a_broken_object_is_a_failure_until_it_is_mended(room: Room) -> None:
    room.put("a.fits", FRAME)
    room.settle("a.fits")
    room.put("a.fits", BROKEN)
    assert room.settle("a.fits") == "failed"
    assert room.frame("a.fits") is None
    assert room.derived() == set()
    failure = room.failure("a.fits")
    assert failure is not None
    assert (failure.kind, failure.size, failure.attempts) == ("truncated", len(BROKEN), 1)
    assert "HDU" in failure.message
    assert room.settle("a.fits") == "unchanged"
    assert room.settle("a.fits", force=True) == "failed"
    again = room.failure("a.fits")
    assert again is not None
    assert again.attempts == 2
    room.put("a.fits", OTHER)
    assert room.settle("a.fits") == "indexed"
    assert room.failure("a.fits") is None


def test_a_failure_goes_with_its_object(room: Room) -> None:
    room.put("a.fits", b"<html>")
    assert room.settle("a.fits") == "failed"
    room.delete("a.fits")
    assert room.settle("a.fits") == "removed"
    assert room.failure("a.fits") is None


def test_folders_and_foreign_buckets_are_ignored(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    assert room.ingester.settle("someone-elses", "a.fits").value == "ignored"
    assert "foreign bucket" in caplog.text


def test_twenty_at_once_leave_one_frame(room_on_each: Room) -> None:
    room = room_on_each
    room.put("a.fits", FRAME)
    ingesters = [room.another_ingester() for _ in range(20)]
    start = threading.Barrier(len(ingesters))

    def settle(ingester: Ingester) -> str:
        start.wait()
        return ingester.settle(room.settings.bucket, "a.fits").value

    with ThreadPoolExecutor(len(ingesters)) as pool:
        outcomes = set(pool.map(settle, ingesters))
    assert outcomes <= {"indexed", "unchanged"}
    frame = room.frame("a.fits")
    assert frame is not None
    assert room.derived() == without_catalog(frame.digest)


def test_writers_and_ingesters_in_a_race_end_with_the_truth(room_on_each: Room) -> None:
    """Objects come, change, break and go while several ingesters settle them: the index ends equal to the bucket."""
    room = room_on_each
    keys = [f"race/{number}.fits" for number in range(4)]
    contents = [FRAME, OTHER, BROKEN, None]
    writing = threading.Event()
    writing.set()

    def settle(seed: int) -> None:
        mine, order = room.another_ingester(), random.Random(seed)
        while writing.is_set():
            with contextlib.suppress(StoreUnavailableError):  # one that changed eight times while it was read
                mine.settle(room.settings.bucket, order.choice(keys))

    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(settle, seed) for seed in range(3)]
        order = random.Random(7)
        now: dict[str, bytes | None] = {}
        for _ in range(60):
            key, content = order.choice(keys), order.choice(contents)
            room.delete(key) if content is None else room.put(key, content)
            now[key] = content
        for key in keys:
            room.settle(key)
        writing.clear()
        for worker in workers:
            worker.result()
    expected_derived = set()
    for key, content in now.items():
        frame, failure = room.frame(key), room.failure(key)
        assert (frame is not None) == (content in (FRAME, OTHER))
        assert (failure is not None) == (content == BROKEN)
        if frame is not None:
            assert content is not None
            assert frame.sha256 == hashlib.sha256(content).hexdigest()
            expected_derived |= without_catalog(frame.digest)
    assert room.derived() == expected_derived


def test_a_store_that_is_away_is_no_failure_of_the_object(room: Room) -> None:
    away = Settings(_env_file=None, s3_endpoint_url="http://127.0.0.1:9", s3_access_key="x", s3_secret_key="y")
    ingester = Ingester(room.settings, Store(away), room.sessions)
    with pytest.raises(StoreUnavailableError):
        ingester.settle(room.settings.bucket, "a.fits")
    assert room.failure("a.fits") is None


def test_an_object_that_kills_its_reader_is_given_up(room: Room) -> None:
    """A process is killed in the middle of reading, three times; the fourth attempt says so and reads no more."""
    room.put("deadly.fits", FRAME)
    url = room.settings.model_copy(update={"database_url": SecretStr(str(room.sessions.kw["bind"].url))})
    environment = {f"FITSVAULT_{name.upper()}": value for name, value in plain_settings(url).items()}
    die = (
        "import os, shared.ingest.service as service\n"
        "service.read_frame = lambda *_: os.kill(os.getpid(), 9)\n"
        "from shared.ingest.factory import make_ingester\n"
        "from shared.settings import settings\n"
        "make_ingester(settings()).settle(settings().bucket, 'deadly.fits')\n"
    )
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", die], env=environment, check=False).returncode == -9
        with write(room.sessions) as session:
            session.execute(update(Attempt).values(begun_at=utc_now() - dt.timedelta(seconds=10)))
    assert room.failure("deadly.fits") is None
    assert room.settle("deadly.fits") == "failed"
    failure = room.failure("deadly.fits")
    assert failure is not None
    assert (failure.kind, "killed 3 times" in failure.message) == ("reader-died", True)
    assert room.settle("deadly.fits") == "unchanged"
    assert room.settle("deadly.fits", force=True) == "indexed"


def test_nothing_is_left_on_disk(room: Room) -> None:
    for key, data in (("a.fits", FRAME), ("b.fits", BROKEN)):
        room.put(key, data)
        room.settle(key)
    work_dir = room.settings.work_dir
    assert work_dir is not None
    assert list(Path(work_dir).iterdir()) == []
