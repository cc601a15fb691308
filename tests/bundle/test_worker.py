"""Bundles that were ordered, built by whoever is there: killed, overtaken by changes, expired, deleted."""

import csv
import datetime as dt
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from sqlalchemy import select, update

from shared.accounts.models import User
from shared.bundle.assembly import plan_bundle
from shared.bundle.factory import make_bundle_worker
from shared.bundle.inside import Wish
from shared.bundle.jobs import Order, State, claim_job, delete_job, find_job, order_bundle
from shared.bundle.worker import BundleWorker, bundle_folder
from shared.database import read, utc_now, write
from shared.index.bundle_jobs import BundleJob
from shared.index.bundles import bundle_of_ids
from shared.settings import plain_settings
from shared.store.multipart import uploads_of
from tests.api.zipstore import BUCKET, ZipStore, zip_store
from tests.archive import REPOSITORY, RunningArchive
from tests.bundle.stock import MIXED, virtual
from tests.fits.test_unpack import UNSIGNED, packed

WISH = Wish("ada", dt.date(2026, 11, 21), ("night=2026-11-20",))
ALONE = dt.timedelta(seconds=60)

pytestmark = pytest.mark.archive


@pytest.fixture(scope="module")
def zips(archive: RunningArchive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipStore]:
    with zip_store(archive, tmp_path_factory.mktemp("worker"), derived_bucket="worked") as found:
        found.store.ensure_bucket("worked")
        yield found


@pytest.fixture(scope="module")
def large(zips: ZipStore) -> list[int]:
    """Frames that are copied, passed, or both."""
    return [zips.put(f"large/{n}.fits", os.urandom(size)) for n, size in enumerate(MIXED)]


@pytest.fixture
def worker(zips: ZipStore) -> BundleWorker:
    with write(zips.sessions) as session:
        session.execute(BundleJob.__table__.delete())  # type: ignore[attr-defined]
    return make_bundle_worker(zips.settings, zips.sessions)


def ordered(zips: ZipStore, ids: list[int], wish: Wish = WISH, *, uncompress: bool = False) -> str:
    with write(zips.sessions) as session:
        user_id = session.scalars(select(User.id).where(User.username == "ada")).one()
        frames = list(bundle_of_ids(session, ids))
        return order_bundle(session, Order(user_id=user_id, wish=wish, frames=frames, uncompress=uncompress))[0].id


def job_of(zips: ZipStore, job_id: str) -> BundleJob:
    with read(zips.sessions) as session:
        found = find_job(session, job_id)
    assert found is not None
    return found


def content(zips: ZipStore, job: BundleJob) -> bytes:
    assert job.key is not None
    return b"".join(zips.store.stream(zips.store.head("worked", job.key)))


def left(zips: ZipStore, job_id: str) -> list[str]:
    return [found.key for found in zips.store.walk_as_listed("worked", prefix=bundle_folder(job_id))]


def names(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return [name.partition("/")[2] for name in archive.namelist()]


def test_it_is_the_zip_that_the_api_sends(zips: ZipStore, worker: BundleWorker, large: list[int]) -> None:
    job_id = ordered(zips, large)
    assert worker.build_next()
    assert not worker.build_next()
    job = job_of(zips, job_id)
    with read(zips.sessions) as session:
        plan = plan_bundle(list(bundle_of_ids(session, large)), WISH)
    data = content(zips, job)
    assert hashlib.sha256(data).digest() == hashlib.sha256(virtual(zips.store, plan)).digest()
    assert (job.state, job.frames, job.size, job.done) == (State.READY, len(large), len(data), len(data))
    assert job.crc32 == plan.crc32()
    assert 0 < job.passed < job.size / 2
    assert job.uploads == {}
    assert job.expires_at is not None
    assert job.expires_at - utc_now() > dt.timedelta(days=2)


def test_the_same_order_is_the_same_bundle_while_it_lives(
    zips: ZipStore, worker: BundleWorker, large: list[int]
) -> None:
    first = ordered(zips, large[1:3])
    assert ordered(zips, large[1:3]) == first
    worker.build_next()
    assert ordered(zips, large[1:3]) == first
    assert ordered(zips, large[2:0:-1]) != first
    assert ordered(zips, large[1:3], Wish("ada", dt.date(2026, 11, 22), WISH.asked)) != first
    with write(zips.sessions) as session:
        session.execute(update(BundleJob).where(BundleJob.id == first).values(expires_at=utc_now()))
    assert ordered(zips, large[1:3]) != first


def test_frames_that_changed_or_went_are_left_out_and_told(zips: ZipStore, worker: BundleWorker) -> None:
    ids = [zips.put(f"changing/{n}.fits", bytes([n]) * 100) for n in range(4)]
    job_id = ordered(zips, ids)
    zips.store.write_bytes(BUCKET, "changing/1.fits", b"another", "application/fits")
    zips.store.delete(BUCKET, ("changing/2.fits",))
    zips.remove_row("changing/3.fits")
    worker.build_next()
    job = job_of(zips, job_id)
    assert names(content(zips, job)) == ["README.txt", "MANIFEST.csv", "0.fits"]
    assert [one["id"] for one in job.left_out] == [ids[3], ids[1], ids[2]]
    assert job.left_out[0]["reason"] == "no frame has this id any more"


def test_a_frame_that_changes_while_it_is_built_is_planned_anew(
    zips: ZipStore, large: list[int], worker: BundleWorker
) -> None:
    """It is overwritten, row and all, as soon as the first part is there."""
    changing = zips.put("meanwhile/x.fits", os.urandom(12 << 20), filename="x.fits")
    job_id = ordered(zips, [large[0], changing])
    after = os.urandom(11 << 20)
    calls: list[str] = []

    def change(model: object, **_more: object) -> None:
        calls.append(str(getattr(model, "name", "")))
        if calls.count("UploadPart") == 1 and calls[-1] == "UploadPart":
            zips.put("meanwhile/x.fits", after, filename="x.fits")

    events = worker._store.s3.meta.events
    events.register("before-call.s3", change)
    worker.build_next()
    job = job_of(zips, job_id)
    assert job.state == State.READY
    assert job.left_out == []
    with zipfile.ZipFile(io.BytesIO(content(zips, job))) as archive:
        assert archive.read(archive.namelist()[-1]) == after
    assert len(left(zips, job_id)) == 1
    assert calls.count("CreateMultipartUpload") == 2


POINTS = [
    ("CreateMultipartUpload", "after"),
    ("UploadPart", "after"),
    ("UploadPartCopy", "before"),
    ("UploadPartCopy", "after"),
    ("CompleteMultipartUpload", "after"),
]
DYING = """
import os, signal, sys
from shared.bundle.factory import make_bundle_worker
from shared.settings import Settings
name, when = sys.argv[1:]
worker = make_bundle_worker(Settings(_env_file=None))
def die(**_more):
    os.kill(os.getpid(), signal.SIGKILL)
event = "before-call" if when == "before" else "after-call"
worker._store.s3.meta.events.register(f"{event}.s3.{name}", die)
worker.build_next()
"""


@pytest.mark.parametrize(("operation", "when"), POINTS)
def test_whoever_is_killed_is_followed_by_another(
    zips: ZipStore, worker: BundleWorker, large: list[int], operation: str, when: str
) -> None:
    job_id = ordered(zips, large)
    environment = {f"FITSVAULT_{name.upper()}": value for name, value in plain_settings(zips.settings).items()}
    killed = subprocess.run(
        [sys.executable, "-c", DYING, operation, when],
        env={**environment, "PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not worker.build_next(), "its lease has not run out"
    with write(zips.sessions) as session:
        session.execute(update(BundleJob).values(leased_until=utc_now() - dt.timedelta(seconds=1)))
    assert worker.build_next()
    job = job_of(zips, job_id)
    data = content(zips, job)
    assert (job.state, job.size) == (State.READY, len(data))
    assert names(data)[2:] == [f"{n}.fits" for n in range(len(MIXED))]
    assert left(zips, job_id) == [job.key]
    assert uploads_of(zips.store, "worked", str(job.key)) == []


def test_at_the_end_of_its_time_it_is_given_to_another(zips: ZipStore, worker: BundleWorker, large: list[int]) -> None:
    job_id = ordered(zips, large)
    looks = iter([False] * 3)
    assert worker.build_next(stop=lambda: next(looks, True))
    job = job_of(zips, job_id)
    assert (job.state, job.attempts, job.owner) == (State.QUEUED, 0, None)
    assert job.uploads
    assert worker.build_next()
    assert job_of(zips, job_id).state == State.READY


def test_one_bundle_is_built_by_one(zips: ZipStore, worker: BundleWorker, large: list[int]) -> None:
    job_id = ordered(zips, large[:1])
    with write(zips.sessions) as session:
        assert claim_job(session, "other", ALONE) is not None
    with write(zips.sessions) as session:
        assert claim_job(session, "third", ALONE, job_id) is None
    assert not worker.build_next()


@pytest.mark.parametrize("looks", [0, 2, 1000])
def test_a_deleted_bundle_leaves_nothing(zips: ZipStore, worker: BundleWorker, large: list[int], looks: int) -> None:
    """Before it is begun, while it is built, and when it is ready."""
    job_id = ordered(zips, large)
    seen = 0

    def look() -> bool:
        nonlocal seen
        seen += 1
        if seen == looks:
            with write(zips.sessions) as session:
                delete_job(session, job_id)
        return False

    if looks:
        worker.build_next(stop=look)
    if looks != 2:
        with write(zips.sessions) as session:
            delete_job(session, job_id)
    with write(zips.sessions) as session:
        session.execute(update(BundleJob).values(leased_until=None))
    worker.tidy()
    assert left(zips, job_id) == []
    with read(zips.sessions) as session:
        assert session.get(BundleJob, job_id) is None


def test_what_is_over_goes_and_what_lives_stays(zips: ZipStore, worker: BundleWorker, large: list[int]) -> None:
    over, living = ordered(zips, large[:1]), ordered(zips, large[1:2])
    while worker.build_next():
        pass
    with write(zips.sessions) as session:
        past = utc_now() - dt.timedelta(seconds=1)
        session.execute(update(BundleJob).where(BundleJob.id == over).values(expires_at=past))
    assert worker.tidy() == 1
    assert left(zips, over) == []
    assert left(zips, living) == [job_of(zips, living).key]
    assert worker.tidy() == 0


def test_a_store_that_is_away_is_tried_again_and_then_given_up(
    zips: ZipStore, worker: BundleWorker, large: list[int]
) -> None:
    job_id = ordered(zips, large[:1])
    away = zips.settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:9"})
    lost = make_bundle_worker(away, zips.sessions)
    lost._store.s3.meta.events.unregister("needs-retry.s3")
    assert lost.build_next()
    job = job_of(zips, job_id)
    assert (job.state, job.attempts, job.owner) == (State.QUEUED, 1, None)
    assert job.due_at is not None
    assert job.due_at > utc_now()
    assert not worker.build_next(), "it is not due yet"
    with write(zips.sessions) as session:
        session.execute(update(BundleJob).values(due_at=utc_now(), attempts=20))
    assert lost.build_next()
    job = job_of(zips, job_id)
    assert (job.state, job.due_at) == (State.FAILED, None)
    assert job.reason
    assert job.expires_at is not None


def test_what_is_in_tiles_is_unpacked_for_who_wants_it(zips: ZipStore, worker: BundleWorker, tmp_path: Path) -> None:
    source = packed(tmp_path / "a.fits.fz")
    kinds = ("image", "compressed-image")
    ids = [
        zips.put("tiles/a.fits.fz", source.read_bytes(), hdu_kinds=kinds),
        zips.put("tiles/b.fits", b"plain"),
        zips.put("tiles/broken.fits.fz", b"broken", hdu_kinds=kinds),
    ]
    job_id = ordered(zips, ids, uncompress=True)
    assert worker.build_next()
    job = job_of(zips, job_id)
    assert job.state == State.READY
    data = content(zips, job)
    assert names(data)[2:] == ["a.fits", "b.fits", "broken.fits.fz"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        plain = archive.read(archive.namelist()[2])
        manifest = list(csv.DictReader(io.StringIO(archive.read(archive.namelist()[1]).decode())))
    with fits.open(io.BytesIO(plain)) as file:
        assert np.array_equal(file["SCI"].data, UNSIGNED)
    assert manifest[0]["sha256"] == hashlib.sha256(plain).hexdigest()
    with write(zips.sessions) as session:
        session.execute(update(BundleJob).values(expires_at=utc_now() - dt.timedelta(seconds=1)))
    worker.tidy()
    assert left(zips, job_id) == []


def test_no_frames_are_an_empty_zip(zips: ZipStore, worker: BundleWorker) -> None:
    job_id = ordered(zips, [])
    worker.build_next()
    assert names(content(zips, job_of(zips, job_id))) == []


def test_the_row_is_plain(zips: ZipStore, worker: BundleWorker, large: list[int]) -> None:
    job = job_of(zips, ordered(zips, large))
    assert json.dumps([job.asked, job.frame_ids, job.left_out, job.uploads])
