"""What became of objects, where the index is behind or cannot read them just now."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shared.database import make_engine, make_session_factory, utc_now, write
from shared.index.failures import record_failure, record_unavailable
from shared.index.frames import put_frame
from shared.index.record import FailureRecord
from shared.intake.fates import State, fates
from tests.archive import RunningArchive
from tests.index.factory import make_record
from tests.prepared import prepare


def test_it_is_told_of_the_object_as_it_is_now(archive: RunningArchive, tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'index.sqlite'}")
    prepare(engine)
    sessions = make_session_factory(engine)
    names = ("new", "frame", "old-frame", "failed", "old-failure", "later", "given-up")
    keys = [f"fates-told/{name}" for name in names]
    etags = {}
    for key in keys:
        etags[key] = archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=key.encode())["ETag"].strip('"')
    bucket = archive.bucket

    def failed(name: str, etag: str) -> FailureRecord:
        key = f"fates-told/{name}"
        return FailureRecord(bucket=bucket, key=key, version_id=None, etag=etag, size=3, kind="truncated", message=name)

    with write(sessions) as session:
        frame = put_frame(session, make_record(bucket=bucket, key=keys[1], etag=etags[keys[1]]))
        put_frame(session, make_record(bucket=bucket, key=keys[2], etag="of yesterday"))
        record_failure(session, failed("failed", etags[keys[3]]))
        record_failure(session, failed("old-failure", "of yesterday"))
        soon = utc_now() + dt.timedelta(minutes=1)
        record_unavailable(session, bucket, keys[5], "no room", attempts=1, retry_at=soon)
        record_unavailable(session, bucket, keys[6], "no room", attempts=16, retry_at=None)
    with ThreadPoolExecutor(2) as threads:
        found = fates(sessions, archive.store, threads, bucket, [*keys, "fates-told/absent"])
    engine.dispose()
    archive.store.delete(bucket, tuple(keys))
    assert [(fate.state, fate.frame_id, fate.reason) for fate in found] == [
        (State.WAITING, None, None),
        (State.INDEXED, frame, None),
        (State.WAITING, None, None),
        (State.FAILED, None, "failed"),
        (State.WAITING, None, None),
        (State.WAITING, None, "no room"),
        (State.FAILED, None, "no room"),
        (State.ABSENT, None, None),
    ]
