"""The suite: a bucket that keeps versions."""

from typing import Any, ClassVar

import pytest

from shared.simulator import simulate_frame
from tests.agreement import Contents
from tests.stores.stored import StoredArchive

__all__ = ["Versions"]


class Versions:
    """The latest version is the object, a delete marker is none; the index follows. Last, as there is no way back."""

    waves: ClassVar[list[Contents]]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def story(cls, stored: StoredArchive) -> None:
        s3, bucket = stored.running.s3, stored.running.bucket
        stored.put("versions/older.fits", simulate_frame(OBJECT="unversioned").data)
        stored.agree()
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for name in ("older", "marked", "restored", "shortened", "emptied"):
            for number in (1, 2):
                stored.put(f"versions/{name}.fits", simulate_frame(OBJECT=f"{name} {number}").data)
        waves = [stored.agree()]
        for name in ("marked", "restored"):
            stored.delete(f"versions/{name}.fits")
        cls.delete_latest(stored, "shortened")
        for _ in range(2):
            cls.delete_latest(stored, "emptied")
        waves.append(stored.agree())
        cls.delete_latest(stored, "restored")
        cls.delete_latest(stored, "older")
        cls.delete_latest(stored, "older")
        waves.append(stored.agree(deep=True))
        cls.waves = waves

    @staticmethod
    def versions(stored: StoredArchive, name: str) -> list[dict[str, Any]]:
        answer: Any = stored.running.s3.list_object_versions(
            Bucket=stored.running.bucket, Prefix=f"versions/{name}.fits"
        )
        return [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]

    @classmethod
    def delete_latest(cls, stored: StoredArchive, name: str) -> None:
        latest = next(version for version in cls.versions(stored, name) if version["IsLatest"])
        stored.running.s3.delete_object(Bucket=stored.running.bucket, Key=latest["Key"], VersionId=latest["VersionId"])

    def objects_of(self, name: str) -> list[str | None]:
        """Return what the frame shows after each wave, None while there is none."""
        frames = [wave.frames.get(f"versions/{name}.fits") for wave in self.waves]
        return [frame.object_name if frame is not None else None for frame in frames]

    def test_a_new_version_replaces_the_frame(self) -> None:
        assert [objects[0] for objects in map(self.objects_of, ("older", "marked", "shortened"))] == [
            "older 2",
            "marked 2",
            "shortened 2",
        ]
        assert all(frame.version_id for frame in self.waves[0].frames.values() if frame.key.startswith("versions/"))

    def test_a_delete_marker_takes_the_frame_away(self) -> None:
        assert self.objects_of("marked") == ["marked 2", None, None]

    def test_deleting_the_marker_brings_it_back(self) -> None:
        assert self.objects_of("restored") == ["restored 2", None, "restored 2"]

    def test_deleting_the_latest_version_brings_the_one_before(self) -> None:
        assert self.objects_of("shortened") == ["shortened 2", "shortened 1", "shortened 1"]
        assert self.objects_of("older") == ["older 2", "older 2", "unversioned"]

    def test_deleting_all_versions_takes_the_frame_away(self) -> None:
        assert self.objects_of("emptied") == ["emptied 2", None, None]
