"""Put an object, and the webhook comes."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

from shared.simulator import simulate_frame
from tests.archive import running_archive, wait_until
from tests.notify.receiver import Receiver, running_receiver

SECRET = "a secret of the two of us"
FRAME = simulate_frame(OBJECT="M 51", REQNUM="0042", PROPID="P1").data


def told(receiver: Receiver, key: str, kind: str) -> dict[str, Any]:
    """Return the payload of that type about an object, as soon as it has come."""

    def look() -> dict[str, Any] | None:
        return next((one for one in receiver.payloads if (one["key"], one["type"]) == (key, kind)), None)

    return wait_until(f"{kind} of {key} is told", look)


def test_a_pipeline_is_told_and_can_go_on(tmp_path: Path) -> None:
    """What could not be told before the archive stopped is told by the next, with all that comes then."""
    home = tmp_path / "home"
    with running_receiver() as receiver:
        extra = {
            "FITSVAULT_NOTIFY_URL": receiver.url.replace("http://", "http://anna:pass@") + "?token=hidden",
            "FITSVAULT_NOTIFY_SECRET": SECRET,
        }
        with running_archive(home, extra | {"FITSVAULT_NOTIFY_URL": "http://127.0.0.1:9/"}) as archive:
            archive.store.write_bytes(archive.bucket, "a.fits", FRAME, "application/fits")
            archive.wait_for_frame("a.fits")
            wait_until("it was tried", lambda: "not notified" in archive.log("ingest"))
        receiver.script = [500]
        with running_archive(home, extra) as archive:
            assert told(receiver, "a.fits", "frame.indexed")["replaced"] is False
            archive.store.write_bytes(archive.bucket, "night/m51.fits", FRAME, "application/fits")
            indexed = told(receiver, "night/m51.fits", "frame.indexed")
            frame = archive.get(f"/frames/{indexed['frame']['id']}/")
            assert indexed["frame"] == {name: frame[name] for name in indexed["frame"]}
            assert [indexed[name] for name in ("bucket", "key", "etag", "version_id", "size")] == [
                frame[name] for name in ("bucket", "key", "etag", "version_id", "size")
            ]
            download = archive.http.get("/" + indexed["frame"]["url"], follow_redirects=False)
            assert download.status_code == 302

            archive.store.write_bytes(archive.bucket, "night/m51.fits", FRAME[:5000], "application/fits")
            assert told(receiver, "night/m51.fits", "object.failed")["reason"]["kind"] == "truncated"
            assert told(receiver, "night/m51.fits", "frame.removed")["frame"] == indexed["frame"]

            archive.store.write_bytes(archive.bucket, "b.fits", FRAME, "application/fits")
            frame_id = told(receiver, "b.fits", "frame.indexed")["frame"]["id"]
            assert archive.http.delete(f"/frames/{frame_id}/delete/").status_code == 200
            assert told(receiver, "b.fits", "frame.removed")["frame"]["id"] == frame_id

            for one in receiver.received:
                when, digest = one.headers["X-Fitsvault-Signature"].removeprefix("t=").split(",v1=")
                signed = f"{when}.".encode() + one.body
                assert hmac.compare_digest(digest, hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest())
            logs = archive.log("ingest") + archive.log("api")
            for secret in (SECRET, "hidden", "anna:pass"):
                assert secret not in logs
        sequence = [one["sequence"] for one in receiver.payloads if one["key"] == "night/m51.fits"]
        assert sequence == sorted(sequence)
