"""Receiving frames with settings of their own, in the bucket of a running archive and in versioned ones."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits
from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory, read, write
from shared.errors import BadTemplateError, StoreUnavailableError, UploadError
from shared.index.frames import find_object, put_frame, remove_frame
from shared.ingest.forget import forget_object
from shared.intake.locks import NamedLocks
from shared.intake.placing import ASIDE
from shared.intake.service import Intake
from shared.simulator import simulate_frame
from shared.store.client import Store
from shared.store.model import ObjectState
from tests.api.uploading import sha256, stored
from tests.archive import RunningArchive, wait_until
from tests.index.factory import make_record
from tests.ingest.conftest import Room
from tests.prepared import prepare

MakeIntake = Callable[..., Intake]


@pytest.fixture
def make_intake(archive: RunningArchive) -> Iterator[MakeIntake]:
    engine = make_engine(archive.settings.effective_database_url)
    sessions = make_session_factory(engine)

    def make(**changes: Any) -> Intake:
        settings = archive.settings.model_copy(update=changes)
        return Intake(
            settings, archive.store, sessions, lambda key: forget_object(settings, archive.store, sessions, key)
        )

    yield make
    engine.dispose()


def file_of(folder: Path, name: str, **keywords: Any) -> Path:
    place = folder / "upload"
    place.write_bytes(simulate_frame(name=name, EXTNAME="SCI", **keywords).data)
    return place


def test_uploads_are_packed_without_loss_where_that_is_set(
    archive: RunningArchive, make_intake: MakeIntake, tmp_path: Path
) -> None:
    file = file_of(tmp_path, "intake-packed.fits", shape=(256, 256))
    assert make_intake(compress_uploads=True).receive(file, "intake-packed.fits") == "intake-packed"
    frame = archive.frames(basename="intake-packed")[0]
    assert frame["filename"] == "intake-packed.fits.fz"
    (tmp_path / "packed").write_bytes(stored(archive, frame))
    with fits.open(tmp_path / "packed") as packed, fits.open(file) as sent:
        assert packed["SCI"].compression_type == "RICE_1"
        assert (packed["SCI"].data == sent["SCI"].data).all()
    assert frame["size"] < file.stat().st_size
    assert frame["checksum"] == "verified"


def test_templates_of_the_settings_make_the_key(
    archive: RunningArchive, make_intake: MakeIntake, tmp_path: Path
) -> None:
    intake = make_intake(
        path_formatter="{TELID|lower}/{DATE-OBS|date:/}",
        filename_formatter="{SITEID}-{DAY-OBS|date:}-{EXPTIME|string:05.1f}{FILTER|filter:IMAGETYP:_}",
    )
    file = file_of(tmp_path, "ignored.fits", TELID="T1", SITEID="intk", EXPTIME=2.5, FILTER="V")
    assert intake.receive(file, "x.fits") == "intk-20261121-002.5_V"
    frame = archive.frames(basename="intk-20261121-002.5_V")[0]
    assert frame["key"] == f"t1/{frame['DATE_OBS'][:10].replace('-', '/')}/intk-20261121-002.5_V.fits"


@pytest.mark.parametrize("changes", [{"path_formatter": "{SITEID"}, {"filename_formatter": "{SITEID|upper}"}])
def test_bad_templates_are_refused_at_the_start(make_intake: MakeIntake, changes: dict[str, str]) -> None:
    with pytest.raises(BadTemplateError):
        make_intake(**changes)


def test_a_frame_that_is_indexed_late_stays(room: Room, tmp_path: Path) -> None:
    """No event is delivered from the room's bucket before we say so."""
    file = file_of(tmp_path, "intake-late.fits", SITEID="late")
    settings = room.settings.model_copy(update={"upload_wait_seconds": 0})
    intake = Intake(settings, room.store, room.sessions, lambda key: None)
    with pytest.raises(UploadError, match="stored, but not indexed yet"):
        intake.receive(file, "late.fits")
    assert room.settle("late/2026-11-21/intake-late.fits") == "indexed"


@contextmanager
def settling(room: Room, key: str) -> Iterator[None]:
    """Settle a key again and again, as if its events were delivered."""
    stop = threading.Event()

    def settle() -> None:
        while not stop.wait(0.05):
            room.settle(key)

    thread = threading.Thread(target=settle)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_on_a_versioned_bucket_a_refused_version_is_taken_back(room: Room, tmp_path: Path) -> None:
    room.store.s3.put_bucket_versioning(Bucket=room.settings.bucket, VersioningConfiguration={"Status": "Enabled"})
    intake = Intake(
        room.settings,
        room.store,
        room.sessions,
        lambda key: forget_object(room.settings, room.store, room.sessions, key),
    )
    key = "vault/2026-11-21/versioned.fits.fz"
    good = simulate_frame(name="versioned.fits.fz").data
    bad = bytearray(simulate_frame(name="versioned.fits.fz", seed=2).data)
    (tmp_path / "file").write_bytes(good)
    with settling(room, key):
        assert intake.receive(tmp_path / "file", "versioned.fits.fz") == "versioned"
        frame = room.frame(key)
        assert frame is not None
        assert frame.version_id
        with fits.open(tmp_path / "file", disable_image_compression=True) as file:
            start = file[1].fileinfo()["datLoc"]
        bad[start : start + 8] = (2**30).to_bytes(4) * 2
        (tmp_path / "file").write_bytes(bytes(bad))
        with pytest.raises(UploadError, match="outside"):
            intake.receive(tmp_path / "file", "versioned.fits.fz")
        wait_until("the frame is back", lambda: room.frame(key))
    after = room.frame(key)
    assert after is not None
    assert (after.id, after.version_id, after.sha256) == (frame.id, frame.version_id, sha256(good))
    versions = room.store.s3.list_object_versions(Bucket=room.settings.bucket)
    assert [version["VersionId"] for version in versions["Versions"]] == [frame.version_id]


def test_an_upload_and_a_deletion_wait_for_the_replica(room: Room, tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'replica.sqlite'}")
    prepare(engine)
    replica = make_session_factory(engine)
    intake = Intake(
        room.settings,
        room.store,
        room.sessions,
        lambda key: forget_object(room.settings, room.store, room.sessions, key),
        replica=replica,
    )
    key = "vault/2026-11-21/followed.fits.fz"
    data = simulate_frame(name="followed.fits.fz").data
    (tmp_path / "file").write_bytes(data)
    follower = threading.Timer(0.5, _follow, (room, replica, key))
    with settling(room, key):
        wait = threading.Thread(target=intake.receive, args=(tmp_path / "file", "followed.fits.fz"))
        wait.start()
        wait_until("it is a frame", lambda: room.frame(key))
        assert wait.is_alive()
        follower.start()
        wait.join(20)
        assert _has(room, replica, key)
    deletion = threading.Timer(0.5, _follow, (room, replica, key))
    deletion.start()
    intake.delete("followed", key)
    assert not _has(room, replica, key)
    follower.join()
    deletion.join()
    engine.dispose()


def _has(room: Room, sessions: sessionmaker[Session], key: str) -> bool:
    with read(sessions) as session:
        return find_object(session, room.settings.bucket, key) is not None


def _follow(room: Room, replica: sessionmaker[Session], key: str) -> None:
    """Do what a replica does a moment later."""
    frame = room.frame(key)
    with write(replica) as session:
        if frame is None:
            remove_frame(session, room.settings.bucket, key)
        else:
            put_frame(
                session, make_record(bucket=room.settings.bucket, key=key, etag=frame.etag, version_id=frame.version_id)
            )


class Unsteady(Store):
    """A store that takes copies into the science bucket no more."""

    def copy(self, source: ObjectState, bucket: str, key: str) -> None:
        """Refuse what would put the old object back."""
        if not key.startswith(ASIDE):
            raise StoreUnavailableError("away")
        super().copy(source, bucket, key)


def test_a_copy_stays_where_it_is_the_only_one_of_the_old_frame(room: Room, tmp_path: Path) -> None:
    key = "vault/2026-11-21/unsteady.fits.fz"
    good = simulate_frame(name="unsteady.fits.fz").data
    bad = bytearray(simulate_frame(name="unsteady.fits.fz", seed=2).data)
    (tmp_path / "file").write_bytes(good)
    with fits.open(tmp_path / "file", disable_image_compression=True) as file:
        start = file[1].fileinfo()["datLoc"]
    bad[start : start + 8] = (2**30).to_bytes(4) * 2
    store = Unsteady(room.settings)
    intake = Intake(room.settings, store, room.sessions, lambda key: None)
    with settling(room, key):
        intake.receive(tmp_path / "file", "unsteady.fits.fz")
        (tmp_path / "file").write_bytes(bytes(bad))
        with pytest.raises(UploadError, match="not available"):
            intake.receive(tmp_path / "file", "unsteady.fits.fz")
    kept = list(room.store.walk(room.settings.derived_bucket, prefix=ASIDE))
    assert [room.store.read_bytes(found.bucket, found.key, found.size) for found in kept] == [good]


def test_a_name_is_held_by_one_thread_and_others_go_on() -> None:
    locks = NamedLocks()
    order: list[str] = []
    with locks.hold("a"):
        waiting = threading.Thread(target=lambda: _note(locks, "a", order))
        waiting.start()
        with locks.hold("b"):
            order.append("b")
        order.append("end of a")
    waiting.join()
    assert order == ["b", "end of a", "a"]
    assert locks._locks == {}


def _note(locks: NamedLocks, name: str, order: list[str]) -> None:
    with locks.hold(name):
        order.append(name)
