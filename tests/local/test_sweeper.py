"""The sweeper of the ingest host: at once when the store was away, and scans where no event comes."""

import os
import signal
from pathlib import Path

from shared.database import make_engine, make_session_factory, read, write
from shared.index.frames import find_object, put_frame
from shared.simulator import simulate_frame
from tests.archive import RunningArchive, running_archive, wait_until
from tests.index.factory import make_record
from tests.local.test_run import processes_of

SMALL = simulate_frame(OBJECT="scanned", shape=(16, 16)).data


def test_a_store_that_was_away_is_swept_at_once(tmp_path: Path) -> None:
    """What it should have told of before it was killed is not told any more."""
    home = tmp_path / "home"
    with running_archive(home, {"FITSVAULT_RECONCILE_SECONDS": "86400"}) as archive:
        wait_until("the sweep at start is over", lambda: '"reconciled"' in archive.log("ingest"))
        engine = make_engine(archive.settings.effective_database_url)
        sessions = make_session_factory(engine)
        with write(sessions) as session:
            put_frame(session, make_record(bucket=archive.bucket, key="untold.fits"))

        def is_gone() -> bool:
            with read(sessions) as session:
                return find_object(session, archive.bucket, "untold.fits") is None

        assert not is_gone()
        (weed,) = (pid for pid in processes_of(home) if b"weed" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(weed, signal.SIGKILL)
        wait_until("the frame has gone", is_gone)
        wait_until("a second sweep is told of", lambda: archive.log("ingest").count('"reconciled"') > 1)
        engine.dispose()


def test_a_store_that_cannot_notify_is_scanned(archive: RunningArchive, tmp_path: Path) -> None:
    """Nobody delivers events from this bucket of another archive's store."""
    secret = archive.settings.s3_secret_key
    extra = {
        "FITSVAULT_S3_ENDPOINT_URL": str(archive.settings.s3_endpoint_url),
        "FITSVAULT_S3_ACCESS_KEY": str(archive.settings.s3_access_key),
        "FITSVAULT_S3_SECRET_KEY": secret.get_secret_value() if secret else "",
        "FITSVAULT_BUCKET": "scanned",
        "FITSVAULT_DERIVED_BUCKET": "scanned-derived",
        "FITSVAULT_TRIGGER": "scan",
        "FITSVAULT_SCAN_SECONDS": "0.2",
        "FITSVAULT_RECONCILE_SECONDS": "86400",
    }
    with running_archive(tmp_path / "home", extra) as scanned:
        wait_until("the sweep at start is over", lambda: '"reconciled"' in scanned.log("ingest"))
        for number in range(12):
            scanned.store.write_bytes("scanned", f"night/{number:02}.fits", SMALL, "application/fits")
        wait_until("all are frames", lambda: len(scanned.frames()) == 12)
        scanned.store.write_bytes("scanned", "night/00.fits", simulate_frame(OBJECT="new").data, "application/fits")
        scanned.store.delete("scanned", ("night/01.fits",))
        wait_until("the new one is there", lambda: scanned.wait_for_frame("night/00.fits")["OBJECT"] == "new")
        wait_until("the deleted one has gone", lambda: scanned.frame_of("night/01.fits") is None)
