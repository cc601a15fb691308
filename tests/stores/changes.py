"""The suite: objects come, change and go in every way that S3 has; the index follows by events alone."""

import datetime as dt
from io import BytesIO
from typing import ClassVar

import httpx
import numpy as np
import pytest
from astropy.io import fits
from boto3.s3.transfer import TransferConfig

from shared.simulator import simulate_frame
from tests.agreement import Contents
from tests.stores.stored import StoredArchive

__all__ = ["Bursts", "Changes"]

_PART = 5 << 20


def frame(name: str) -> bytes:
    """Return a frame that is known by its OBJECT."""
    return simulate_frame(OBJECT=name).data


def large_frame(name: str) -> bytes:
    """Return a frame of more than one part."""
    with fits.open(BytesIO(frame(name))) as hdus:
        hdus.append(fits.ImageHDU(np.zeros((1024, 6 * 1024), dtype=np.uint8), name="PADDING"))
        out = BytesIO()
        hdus.writeto(out)
    return out.getvalue()


class Changes:
    """All at once first, in two waves, so that the store's own delay is waited for twice; then each is looked at."""

    first: ClassVar[Contents]
    second: ClassVar[Contents]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def waves(cls, stored: StoredArchive) -> None:
        cls.come(stored)
        cls.first = stored.agree()
        cls.change(stored)
        cls.second = stored.agree(deep=True)

    @staticmethod
    def come(stored: StoredArchive) -> None:
        running = stored.running
        names = ("put", "copied", "overwritten", "deleted", "deleted-and-made", "made-and-deleted", "becomes-broken")
        stored.put_many([(f"changes/{name}.fits", frame(name)) for name in names])
        running.s3.upload_fileobj(
            BytesIO(large_frame("in parts")),
            running.bucket,
            "changes/parts.fits",
            Config=TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART),
        )
        url, fields = running.store.presigner.post(
            "changes/posted.fits",
            bucket=running.bucket,
            expires=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5),
            sizes=range(1, 1 << 20),
        )
        answer = httpx.post(url, data=fields, files={"file": ("x.fits", frame("posted"))}, trust_env=False)
        assert answer.is_success, answer.text
        stored.put("changes/broken.fits", b"Lorem ipsum" * 1000)
        stored.put("changes/becomes-good.fits", b"not yet")
        stored.put("changes/folder/", b"")

    @staticmethod
    def change(stored: StoredArchive) -> None:
        running = stored.running
        source = f"{running.bucket}/changes/put.fits"
        running.s3.copy_object(CopySource=source, Bucket=running.bucket, Key="changes/copied.fits")
        running.s3.copy_object(CopySource=source, Bucket=running.bucket, Key="changes/new-copy.fits")
        stored.put("changes/overwritten.fits", frame("overwriting"))
        stored.delete("changes/deleted.fits")
        stored.delete("changes/deleted-and-made.fits")
        stored.put("changes/deleted-and-made.fits", frame("made again"))
        stored.put("changes/made-and-deleted.fits", frame("made"))
        stored.delete("changes/made-and-deleted.fits")
        stored.put("changes/becomes-broken.fits", b"truncated")
        stored.put("changes/becomes-good.fits", frame("good"))
        for number in range(5):
            stored.put("changes/again-and-again.fits", frame(f"take {number}"))

    def object_of(self, name: str) -> str | None:
        return self.second.frames[f"changes/{name}.fits"].object_name

    @pytest.mark.parametrize("name", ["put", "copied", "overwritten", "deleted", "made-and-deleted"])
    def test_what_comes_is_a_frame(self, name: str) -> None:
        assert self.first.frames[f"changes/{name}.fits"].object_name == name

    def test_a_form_and_an_upload_in_parts_are_frames(self) -> None:
        assert (self.object_of("posted"), self.object_of("parts")) == ("posted", "in parts")
        assert "-" in self.second.objects["changes/parts.fits"].etag

    def test_a_copy_over_an_object_replaces_its_frame(self) -> None:
        before, after = (wave.frames["changes/copied.fits"] for wave in (self.first, self.second))
        assert (before.object_name, after.object_name) == ("copied", "put")
        assert before.id == after.id
        assert before.digest != after.digest
        assert self.object_of("new-copy") == "put"

    def test_what_is_overwritten_keeps_its_id(self) -> None:
        before, after = (wave.frames["changes/overwritten.fits"] for wave in (self.first, self.second))
        assert after.object_name == "overwriting"
        assert before.id == after.id

    def test_the_last_of_many_writes_counts(self) -> None:
        assert self.object_of("again-and-again") == "take 4"

    def test_what_is_deleted_is_gone(self) -> None:
        assert "changes/deleted.fits" in self.first.frames
        assert not {"changes/deleted.fits", "changes/made-and-deleted.fits"} & set(self.second.frames)

    def test_what_is_made_again_at_once_is_there(self) -> None:
        assert self.object_of("deleted-and-made") == "made again"

    def test_what_is_broken_is_a_failure_until_it_is_good(self) -> None:
        mine = [
            sorted(key for key in wave.failures if key.startswith("changes/")) for wave in (self.first, self.second)
        ]
        assert mine == [
            ["changes/becomes-good.fits", "changes/broken.fits"],
            ["changes/becomes-broken.fits", "changes/broken.fits"],
        ]
        assert self.second.failures["changes/broken.fits"].kind == "not-fits"
        assert self.object_of("becomes-good") == "good"

    def test_a_folder_is_neither(self) -> None:
        assert not {"changes/folder/", "changes/folder"} & {*self.second.frames, *self.second.failures}


class Bursts:
    """Many at once."""

    def test_forty_objects_that_come_and_go_at_once(self, stored: StoredArchive) -> None:
        data = frame("one of many")
        keys = [f"burst/{number:03}.fits" for number in range(40)]
        stored.put_many([(key, data) for key in keys])
        assert set(keys) <= set(stored.agree().frames)
        running = stored.running
        running.store.delete(running.bucket, tuple(keys[:20]))
        left = {key for key in stored.agree(deep=True).frames if key.startswith("burst/")}
        assert left == set(keys[20:])
