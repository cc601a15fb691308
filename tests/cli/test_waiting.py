"""`fitsvault wait` ends when the objects are indexed as they are now, or cannot be."""

import threading

from shared.simulator import simulate_frame
from tests.archive import RunningArchive
from tests.cli.conftest import Run

FRAME = simulate_frame(shape=(16, 16)).data
OTHER = simulate_frame(OBJECT="another", shape=(16, 16)).data


def put(archive: RunningArchive, data: bytes, *keys: str) -> None:
    for key in keys:
        archive.s3.put_object(Bucket=archive.bucket, Key=key, Body=data)


def test_objects_that_come_while_we_wait(archive: RunningArchive, run: Run) -> None:
    keys = ["cli-wait/a.fits", "cli-wait/b.fits"]
    later = threading.Timer(1.0, put, (archive, FRAME, *keys))
    later.start()
    done = run("wait", *keys, f"s3://{archive.bucket}/{keys[0]}", "--timeout", "60")
    later.join()
    assert done.code == 0, done
    assert sorted(done.out.splitlines()) == [f"indexed {key}" for key in keys]
    assert all(archive.frame_of(key) for key in keys)


def test_an_object_that_was_replaced_is_waited_for_anew(archive: RunningArchive, run: Run) -> None:
    for data, name in ((FRAME, None), (OTHER, "another")):
        put(archive, data, "cli-wait/c.fits")
        assert run("wait", "cli-wait/c.fits", "--timeout", "60").code == 0
        frame = archive.frame_of("cli-wait/c.fits")
        assert frame is not None
        assert name is None or frame["OBJECT"] == name


def test_one_that_cannot_be_indexed_is_told_with_its_reason(archive: RunningArchive, run: Run) -> None:
    put(archive, FRAME, "cli-wait/good.fits")
    put(archive, b"junk" * 1000, "cli-wait/junk.fits")
    done = run("wait", "cli-wait/junk.fits", "cli-wait/good.fits", "--timeout", "60")
    assert (done.code, done.out) == (1, "indexed cli-wait/good.fits\n"), done
    assert "not indexed cli-wait/junk.fits: not-fits: " in done.err


def test_time_is_up(archive: RunningArchive, run: Run) -> None:
    done = run("wait", "cli-wait/never.fits", "--timeout", "0.1")
    assert (done.code, done.out) == (3, ""), done
    assert "not indexed yet cli-wait/never.fits: there is no such object" in done.err


def test_another_bucket_is_not_ours_to_wait_for(run: Run) -> None:
    assert run("wait", "s3://elsewhere/a.fits").code == 2
