"""The suite: events that somebody else sends, and what is none of ours."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

import pytest

from shared.simulator import simulate_frame
from tests.stores.stored import StoredArchive, s3_event

__all__ = ["Doors", "Hints"]


class Doors:
    """Who does not know the secret, or speaks of what is not ours, is turned away and has touched nothing."""

    @pytest.fixture(autouse=True)
    def nothing_is_touched(self, stored: StoredArchive) -> None:
        self.before = stored.agree().fingerprint

    @staticmethod
    def key(stored: StoredArchive) -> str:
        return next(iter(stored.look().objects), "door/any.fits")

    @pytest.mark.parametrize("secret", ["", "wrong", "Bearer"])
    def test_a_wrong_or_missing_secret(self, stored: StoredArchive, secret: str) -> None:
        event = s3_event(stored.running.bucket, quote_plus(self.key(stored)), "ObjectRemoved:Delete")
        with stored.door(secret=secret) as door:
            assert door.post("/events", json=event).status_code == 401
        assert stored.look().fingerprint == self.before

    @pytest.mark.parametrize("bucket", ["derived", "somebody-else"])
    def test_an_event_for_another_bucket(self, stored: StoredArchive, bucket: str) -> None:
        ours = s3_event(stored.running.bucket, "door%2Fx.fits")
        both = {"Records": [*ours["Records"], *s3_event(bucket, "x.fits")["Records"]]}
        with stored.door() as door:
            assert door.post("/events", json=s3_event(bucket, "x.fits")).status_code == 403
            assert door.post("/events", json=both).status_code == 403
        assert stored.look().fingerprint == self.before

    def test_an_event_of_ten_megabytes(self, stored: StoredArchive) -> None:
        event = s3_event(stored.running.bucket, "x.fits")
        event["padding"] = "x" * (10 << 20)
        with stored.door() as door:
            assert door.post("/events", json=event).status_code == 413
        assert stored.look().fingerprint == self.before

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b'"text"', b'{"Records": [{"s3": {}}]}'])
    def test_what_is_no_event(self, stored: StoredArchive, body: bytes) -> None:
        with stored.door() as door:
            answer = door.post("/events", content=body)
        assert answer.status_code == 400
        assert answer.json()["detail"]
        assert stored.look().fingerprint == self.before


class Hints:
    """Events of our own bucket that are doubled, late, out of order or wrong: the object is the fact."""

    def test_twenty_copies_at_once_do_the_work_once(self, stored: StoredArchive) -> None:
        stored.put("hints/copies.fits", simulate_frame(OBJECT="copies").data)
        event = s3_event(stored.running.bucket, "hints%2Fcopies.fits")
        ready = threading.Barrier(20)

        def send(_number: int) -> int:
            with stored.door() as door:
                ready.wait(30)
                return door.post("/events", json=event).status_code

        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(send, range(20))) == {200}
        frame = stored.agree().frames["hints/copies.fits"]
        with stored.door() as door:
            assert door.post("/events", json=event).json() == {"outcomes": ["unchanged"]}
        again = stored.look().frames["hints/copies.fits"]
        assert (again.id, again.updated_at) == (frame.id, frame.updated_at)

    def test_late_and_overtaken_events_change_nothing(self, stored: StoredArchive) -> None:
        bucket = stored.running.bucket
        stored.put("hints/there.fits", simulate_frame(OBJECT="there").data)
        stored.put("hints/gone.fits", simulate_frame(OBJECT="gone").data)
        stored.agree()
        stored.delete("hints/gone.fits")
        stored.agree()
        with stored.door() as door:
            for key, name, outcome in (
                ("hints%2Fthere.fits", "ObjectRemoved:Delete", "unchanged"),
                ("hints%2Fthere.fits", "ObjectRemoved:DeleteMarkerCreated", "unchanged"),
                ("hints%2Fgone.fits", "ObjectCreated:Put", "removed"),
                ("hints%2Fnever-was.fits", "ObjectCreated:CompleteMultipartUpload", "removed"),
                ("hints%2Fnever-was.fits", "ObjectRemoved:Delete", "removed"),
            ):
                answer = door.post("/events", json=s3_event(bucket, key, name))
                assert (answer.status_code, answer.json()) == (200, {"outcomes": [outcome]}), (key, name)
        frames = stored.agree().frames
        assert frames["hints/there.fits"].object_name == "there"
        assert not {"hints/gone.fits", "hints/never-was.fits"} & set(frames)

    def test_a_batch_is_settled_whole(self, stored: StoredArchive) -> None:
        bucket = stored.running.bucket
        stored.put("hints/batch.fits", simulate_frame(OBJECT="batch").data)
        keys = ("hints%2Fbatch.fits", "hints%2Fnever-was.fits", "hints%2Fbatch.fits")
        records = [record for key in keys for record in s3_event(bucket, key)["Records"]]
        with stored.door() as door:
            answer = door.post("/events", content=json.dumps({"Records": records}))
        assert answer.status_code == 200
        first, never, second = answer.json()["outcomes"]
        assert first in ("indexed", "unchanged")
        assert (never, second) == ("removed", "unchanged")
        assert stored.agree().frames["hints/batch.fits"].object_name == "batch"
