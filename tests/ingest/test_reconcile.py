"""Reconcile finds what no event told; shared by workers, stopped and gone on with, right while others write."""

import datetime as dt
import os
import random
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import SecretStr

from shared.database import read, utc_now, write
from shared.index.bulk import put_frames
from shared.index.failures import ask_retry, record_unavailable
from shared.index.missing import Missing, withheld
from shared.index.superseded import note_superseded
from shared.index.sweeps import sweep_under_way
from shared.ingest.derived import REQUIRED
from shared.ingest.finder import Finder
from shared.ingest.reconcile import Reconciler, Scope
from shared.settings import plain_settings
from shared.simulator import simulate_frame
from shared.store.client import Store
from shared.store.naming import HEADERS, derived_key
from tests.archive import REPOSITORY
from tests.index.factory import make_record
from tests.ingest.conftest import Room

SMALL = simulate_frame(shape=(16, 16)).data
NOTHING: dict[str, int] = {}


def reconciler(room: Room, **options: Any) -> Reconciler:
    settings = room.settings.model_copy(update={"orphan_seconds": 0, "trigger": "scan"})
    return Reconciler(settings, room.store, room.sessions, room.ingester, **{"patience": 0.0} | options)


def differences(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name != "compared"}


def test_it_settles_whatever_was_missed(room: Room) -> None:
    frame = simulate_frame().data
    for key in ("gone.fits", "stale.fits", "was-broken.fits", "same.fits", "same-broken.fits", "no-headers.fits"):
        room.put(key, b"junk" if "broken" in key else frame)
        room.settle(key)
    room.delete("gone.fits")
    room.put("stale.fits", simulate_frame(OBJECT="M 67").data)
    room.put("was-broken.fits", frame)
    room.put("new/frame.fits", frame)
    room.put("new/junk.fits", b"junk")
    lost = room.frame("no-headers.fits")
    assert lost is not None
    room.store.delete(room.settings.derived_bucket, (derived_key(lost.digest, HEADERS),))
    alone = derived_key(f"{'ab' * 32}/{'cd' * 8}", HEADERS)
    room.store.write_bytes(room.settings.derived_bucket, alone, b"{}", "application/json")
    reconcile = reconciler(room)
    swept = reconcile.sweep()
    assert swept.is_complete
    assert differences(swept.counts) == {
        "unindexed": 2,
        "phantom": 1,
        "stale": 2,
        "derived-missing": 1,
        "derived-orphan": 1,
    }
    assert room.frame("gone.fits") is None
    assert room.failure("was-broken.fits") is None
    assert room.failure("new/junk.fits") is not None
    stale = room.frame("stale.fits")
    assert stale is not None
    assert stale.object_name == "M 67"
    assert alone not in room.derived()
    assert derived_key(lost.digest, HEADERS) in room.derived()
    assert differences(reconcile.sweep().counts) == NOTHING


def test_objects_that_cannot_be_looked_at_keep_it_from_none_of_the_others(room: Room) -> None:
    with write(room.sessions) as session:
        for key in ("..", "a/../b.fits"):
            record_unavailable(session, room.settings.bucket, key, "400", attempts=1, retry_at=None)
    room.store.s3.put_object(
        Bucket=room.settings.bucket,
        Key="encrypted.fits",
        Body=b"junk",
        SSECustomerAlgorithm="AES256",
        SSECustomerKey="k" * 32,
    )
    room.put("new.fits", SMALL)
    swept = reconciler(room).sweep()
    assert (swept.is_complete, differences(swept.counts)) == (True, {"unindexed": 2, "phantom": 2, "unsettled": 1})
    assert room.frame("new.fits") is not None
    assert [room.failure(key) for key in ("..", "a/../b.fits")] == [None, None]
    noted = room.failure("encrypted.fits")
    assert noted is not None
    assert (noted.kind, noted.retry_at is not None) == ("unavailable", True)
    later = utc_now() + dt.timedelta(hours=1)
    with write(room.sessions) as session:
        record_unavailable(session, room.settings.bucket, "encrypted.fits", noted.message, attempts=1, retry_at=later)
    assert differences(reconciler(room).sweep().counts) == NOTHING  # it is left alone until it is due


class _PutRight(Store):
    """A store whose clock was an hour ahead until just now, when all that it holds was written."""

    def now(self, bucket: str) -> dt.datetime:
        return super().now(bucket) - dt.timedelta(hours=1)


def test_an_object_from_the_future_is_not_left_to_an_event(room: Room) -> None:
    room.put("new.fits", SMALL)
    finder = Finder(room.settings, _PutRight(room.settings), room.sessions, patience=0.0)
    assert [found.key for batch in finder.objects() for found in batch.found] == ["new.fits"]


def test_orphans_have_their_time(room: Room) -> None:
    alone = derived_key(f"{'ab' * 32}/{'cd' * 8}", HEADERS)
    room.store.write_bytes(room.settings.derived_bucket, alone, b"{}", "application/json")
    patient = Reconciler(room.settings, room.store, room.sessions, room.ingester, patience=0.0)
    assert differences(patient.sweep().counts) == NOTHING
    assert alone in room.derived()


def test_folders_that_the_store_lists_otherwise(room: Room) -> None:
    for key in ("site/1.fits", "site-north/1.fits", "site.fits"):
        room.put(key, b"junk")
        room.settle(key)
    swept = reconciler(room).sweep()
    assert differences(swept.counts) == NOTHING
    assert swept.counts["compared"] == 3


def test_a_prefix_limits_it(room: Room) -> None:
    for key in ("a/1.fits", "b/1.fits", "b/2.fits", "b0.fits"):
        room.put(key, SMALL)
    room.settle("b/2.fits")
    lost = room.frame("b/2.fits")
    assert lost is not None
    room.store.delete(room.settings.derived_bucket, tuple(derived_key(lost.digest, name) for name in REQUIRED))
    swept = reconciler(room).sweep("b/")
    assert differences(swept.counts) == {"unindexed": 1, "derived-missing": 1}
    assert [room.frame(key) is None for key in ("a/1.fits", "b/1.fits", "b/2.fits", "b0.fits")] == [
        True,
        False,
        False,
        True,
    ]
    assert {derived_key(lost.digest, name) for name in REQUIRED} <= room.derived()


def test_it_stops_when_told_and_goes_on_where_it_was(room: Room) -> None:
    for number in range(12):
        room.put(f"{number:02}.fits", SMALL)
        if number % 2:
            room.settle(f"{number:02}.fits")
    assert not reconciler(room).sweep(stop=lambda: True).is_complete
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > 12

    reconcile = reconciler(room, range_size=2)
    first = reconcile.sweep(stop=stop, waits=False)
    assert not first.is_complete
    with read(room.sessions) as session:
        assert sweep_under_way(session, room.settings.bucket, "", "all") is not None
    rest = reconcile.sweep(since=dt.datetime(2000, 1, 1), waits=False)
    assert rest.is_complete
    assert rest.counts["unindexed"] == 6
    assert rest.counts["compared"] == 12 + 12, "each object once, and each frame's derived objects once"
    assert all(room.frame(f"{number:02}.fits") for number in range(12))


def test_another_goes_on_for_a_worker_that_is_killed(room: Room) -> None:
    """A process is killed in the middle of a range; another waits for its lease to end, and goes on from there."""
    keys = [f"{number:04}.fits" for number in range(250)]
    with write(room.sessions) as session:
        put_frames(session, (make_record(bucket=room.settings.bucket, key=key) for key in keys))
    code = (
        "import datetime as dt, sys\n"
        "from functions.reconcile.handler import make_reconciler\n"
        "from shared.ingest.reconcile import Scope\n"
        "from shared.settings import Settings\n"
        "reconciler = make_reconciler(Settings(), patience=0.0, lease=dt.timedelta(seconds=2))\n"
        "reconciler.sweep(scope=Scope.OBJECTS, told=lambda counts: print(counts['compared'], flush=True))\n"
    )
    settings = room.settings.model_copy(update={"database_url": SecretStr(str(room.database_url))})
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **{f"FITSVAULT_{name.upper()}": value for name, value in plain_settings(settings).items()}},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = int(process.stdout.readline())
    process.kill()
    process.communicate()
    assert 0 < first < len(keys)
    with read(room.sessions) as session:
        assert sweep_under_way(session, room.settings.bucket, "", "objects") is not None
    compared: list[int] = []
    swept = reconciler(room, lease=dt.timedelta(seconds=2)).sweep(
        scope=Scope.OBJECTS,
        since=dt.datetime(2000, 1, 1),
        told=lambda counts: compared.append(counts.get("compared", 0)),
    )
    assert swept.is_complete
    assert 0 < sum(compared) <= len(keys) - first, "what was done is not done again"
    assert swept.counts["compared"] == len(keys)
    with read(room.sessions) as session:
        assert withheld(session, room.settings.bucket) == Missing(len(keys), len(keys)), "each was counted once"


def test_two_at_once_share_one_sweep(room: Room) -> None:
    for number in range(40):
        room.put(f"{number:02}.fits", SMALL)
        if number % 4:
            room.settle(f"{number:02}.fits")
    since = reconciler(room).now()
    told: list[int] = []

    def sweep(_number: int) -> Mapping[str, int]:
        return (
            reconciler(room, range_size=5)
            .sweep(since=since, told=lambda counts: told.append(counts.get("unindexed", 0)))
            .counts
        )

    with ThreadPoolExecutor(2) as pool:
        counted = list(pool.map(sweep, range(2)))
    assert sum(told) == 10, "nothing was settled twice"
    assert {counts.get("unindexed") for counts in counted} <= {10, None}
    assert differences(reconciler(room).sweep().counts) == NOTHING


def test_several_workers_of_one_process(room: Room) -> None:
    for number in range(30):
        room.put(f"{number:02}.fits", SMALL)
        if number < 20:
            room.settle(f"{number:02}.fits")
    swept = reconciler(room, range_size=4).sweep(workers=3)
    assert swept.is_complete
    assert differences(swept.counts) == {"unindexed": 10}


def test_a_sweep_made_lately_is_not_made_again(room: Room) -> None:
    reconcile = reconciler(room)
    before = reconcile.now()
    assert reconcile.sweep().is_complete
    room.put("later.fits", SMALL)
    assert reconcile.sweep(since=before).counts == {}
    assert room.frame("later.fits") is None
    assert reconcile.sweep(since=before, scope=Scope.OBJECTS).counts["unindexed"] == 1


def test_what_somebody_asked_for_is_tried_again(room: Room) -> None:
    for key in ("a.fits", "b.fits", "c.fits"):
        room.put(key, b"junk")
        room.settle(key)
    for key in ("a.fits", "b.fits"):
        failure = room.failure(key)
        assert failure is not None
        with write(room.sessions) as session:
            assert ask_retry(session, failure.id) is not None
    room.delete("b.fits")
    reconcile = reconciler(room)
    assert reconcile.retry()
    tried, untried = room.failure("a.fits"), room.failure("c.fits")
    assert tried is not None
    assert untried is not None
    assert (tried.attempts, tried.retry_at, untried.attempts) == (2, None, 1)
    assert room.failure("b.fits") is None
    with write(room.sessions) as session:
        ask_retry(session, tried.id)
    assert differences(reconcile.sweep().counts) == {"stale": 1}
    assert differences(reconcile.sweep().counts) == NOTHING


def test_what_waits_for_its_time_is_left_alone(room: Room) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    with write(room.sessions) as session:
        for key, due in (("waits.fits", now + dt.timedelta(hours=1)), ("due.fits", now), ("given-up.fits", None)):
            room.put(key, SMALL)
            record_unavailable(session, room.settings.bucket, key, "no room", attempts=16, retry_at=due)
    assert differences(reconciler(room).sweep().counts) == {"stale": 1}
    assert room.frame("due.fits") is not None
    assert room.frame("waits.fits") is None
    assert room.frame("given-up.fits") is None


def test_what_a_killed_worker_left_to_be_deleted_is_deleted(room: Room) -> None:
    room.put("x.fits", SMALL)
    room.settle("x.fits")
    left = f"{'ab' * 32}/{'cd' * 8}"
    room.store.write_bytes(room.settings.derived_bucket, derived_key(left, HEADERS), b"{}", "application/json")
    with write(room.sessions) as session:
        note_superseded(session, room.settings.bucket, "x.fits", left)
    patient = Reconciler(room.settings, room.store, room.sessions, room.ingester, patience=0.0)
    assert differences(patient.sweep().counts) == NOTHING
    assert derived_key(left, HEADERS) not in room.derived()
    assert len(room.derived()) == len(REQUIRED)


def test_what_is_newer_than_the_look_is_left_to_its_event(room: Room) -> None:
    """Objects that come, change and go while both sides are read, and are settled by their events, are no findings."""
    for number in range(60):
        room.put(f"{number:02}.fits", SMALL)
        room.settle(f"{number:02}.fits")
    other = simulate_frame(OBJECT="another", shape=(16, 16)).data
    ended, written = threading.Event(), 0

    def write_on() -> None:
        nonlocal written
        chosen = random.Random(7)
        while not ended.is_set():
            key = f"{chosen.randrange(90):02}.fits"
            data = chosen.choice((SMALL, other, None))
            if data is None:
                room.delete(key)
            else:
                room.put(key, data)
            room.settle(key)
            written += 1

    finder = Finder(room.settings, room.store, room.sessions, patience=3.0)
    passes = 0
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_on)
        try:
            while (passes < 2 or written < 30) and not writing.done():
                assert [found for batch in finder.objects() for found in batch.found] == []
                passes += 1
        finally:
            ended.set()
        writing.result()
