"""The pipeline of the drill: uploads, overwrites, copies, renames and deletes, and remembers what it was told."""

import itertools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.settings import Settings
from shared.store.session import make_session
from tests.drill.belief import EMPTY, Belief
from tests.drill.cuts import cut_put, leave_multipart
from tests.drill.keys import throw_key
from tests.drill.payloads import Payload, Payloads
from tests.drill.plan import Clock, Plan, Tally, dice
from tests.drill.renaming import Rename

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Writer", "Writers"]

_TROUBLE = (BotoCoreError, ClientError, httpx.HTTPError, OSError)
_TRIES = 12
_PAUSE = 0.5


class Writer:
    """One thread of it, with keys of its own, so that it knows the order of its requests for each of them."""

    def __init__(self, plan: Plan, number: int, settings: Settings, rename: Rename | None, tally: Tally) -> None:
        self._random = dice(plan, f"writer {number}")
        self._bucket = settings.bucket
        self._s3 = _client(settings)
        self._rename = rename
        self._tally = tally
        self._numbers = itertools.count(number, plan.writers)
        self.beliefs: dict[str, Belief] = {}

    def step(self, payloads: Payloads) -> None:
        """Upload one object under a key of its own, and perhaps do something to another."""
        payload = payloads.throw(self._random)
        key = throw_key(self._random, next(self._numbers), payload.ending)
        self._put(key, payload, "in parts" if self._random.random() < 0.05 else "")
        for chance, action in (
            (0.22, self._overwrite),
            (0.10, self._delete),
            (0.05, self._rename_by_copy),
            (0.05, self._rename_by_filer),
            (0.05, self._copy_over),
            (0.03, self._replace),
            (0.02, self._cut_new),
            (0.02, self._cut_over),
            (0.02, self._leave),
        ):
            if self._random.random() < chance:
                action(payloads.throw(self._random))

    def close(self) -> None:
        """Let go of connections."""
        self._s3.close()

    def _put(self, key: str, payload: Payload, how: str = "") -> None:
        def put() -> None:
            if not how:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=payload.data)
                return
            upload = self._s3.create_multipart_upload(Bucket=self._bucket, Key=key)["UploadId"]
            part = self._s3.upload_part(Bucket=self._bucket, Key=key, UploadId=upload, PartNumber=1, Body=payload.data)
            parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
            self._s3.complete_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                MultipartUpload=parts,  # type: ignore[arg-type]
            )

        self._change(f"uploads{' in parts' if how else ''} ({payload.kind})", put, {key: payload.sha256})

    def _overwrite(self, payload: Payload) -> None:
        for _ in range(self._random.choice((1, 1, 1, 3))):
            if key := self._some_key():
                self._tally.add("overwrites")
                self._put(key, payload)

    def _delete(self, _payload: Payload) -> None:
        if key := self._some_key():
            self._change("deletions", lambda: self._s3.delete_object(Bucket=self._bucket, Key=key), {key: None})

    def _replace(self, payload: Payload) -> None:
        """Delete and create at once: the events of both are under way together."""
        if key := self._some_key():
            self._tally.add("deletions followed at once by an upload")
            self._change("deletions", lambda: self._s3.delete_object(Bucket=self._bucket, Key=key), {key: None})
            self._put(key, payload)

    def _copy_over(self, _payload: Payload) -> None:
        source, target = self._some_key(), self._some_key()
        if source and target and source != target:
            self._copy("copies over another object", source, target)

    def _rename_by_copy(self, _payload: Payload) -> None:
        if source := self._some_key():
            target = self._new_name(source)
            if self._copy("renames by copy and delete", source, target):
                self._change(
                    "deletions", lambda: self._s3.delete_object(Bucket=self._bucket, Key=source), {source: None}
                )

    def _rename_by_filer(self, payload: Payload) -> None:
        rename = self._rename
        if rename is None:
            self._rename_by_copy(payload)
        elif source := self._some_key():
            target, content = self._new_name(source), self.beliefs[source].acknowledged
            self._change(
                "renames by the store",
                lambda: rename(self._bucket, source, target),
                {source: None, target: content},
                tries=1,
            )

    def _cut_new(self, payload: Payload) -> None:
        self._cut(throw_key(self._random, next(self._numbers), payload.ending), payload)

    def _cut_over(self, payload: Payload) -> None:
        if key := self._some_key():
            self._tally.add("uploads cut over an object")
            self._cut(key, payload)

    def _cut(self, key: str, payload: Payload) -> None:
        self._believed(key).is_unsure(EMPTY)
        sent = self._random.choice((0, len(payload.data) // 2))
        if self._is_done(lambda: cut_put(self._s3, self._bucket, key, payload.data, sent)):
            self._tally.add(f"uploads cut {'half-way' if sent else 'before their first byte'}")

    def _leave(self, payload: Payload) -> None:
        key = throw_key(self._random, next(self._numbers), payload.ending)
        if self._is_done(lambda: leave_multipart(self._s3, self._bucket, key, payload.data)):
            self._tally.add("uploads in parts never completed")

    def _copy(self, name: str, source: str, target: str) -> bool:
        content = self.beliefs[source].acknowledged
        origin = {"Bucket": self._bucket, "Key": source}

        def copy() -> None:
            self._s3.copy_object(Bucket=self._bucket, Key=target, CopySource=origin)  # type: ignore[arg-type]

        return self._change(name, copy, {target: content})

    def _change(
        self, name: str, request: Callable[[], object], after: dict[str, str | None], *, tries: int = _TRIES
    ) -> bool:
        """Make a request until it is acknowledged, as a pipeline would; not for ever."""
        for attempt in range(tries):
            for key, content in after.items():
                self._believed(key).is_unsure(content)
            if attempt:
                time.sleep(_PAUSE)
            if self._is_done(request):
                for key, content in after.items():
                    self._believed(key).is_told(content)
                self._tally.add(name)
                return True
        self._tally.add("requests given up")
        return False

    def _is_done(self, request: Callable[[], object]) -> bool:
        try:
            request()
        except _TROUBLE:
            self._tally.add("requests without an answer, or with an error")
            return False
        return True

    def _believed(self, key: str) -> Belief:
        return self.beliefs.setdefault(key, Belief())

    def _some_key(self) -> str | None:
        """Return a key of an object about which we are sure, those uploaded lately more often than others."""
        keys = list(self.beliefs)
        for _ in range(10):
            if not keys:
                return None
            lately = self._random.random() < 0.5
            key = self._random.choice(keys[-5:] if lately else keys)
            if self.beliefs[key].acknowledged is not None and not self.beliefs[key].tried:
                return key
        return None

    def _new_name(self, key: str) -> str:
        ending = "." + key.rsplit("/", 1)[-1].partition(".")[2]
        return throw_key(self._random, next(self._numbers), ending)


class Writers:
    """All of it, from ``start`` until every object is uploaded."""

    def __init__(self, plan: Plan, settings: Settings, payloads: Payloads, rename: Rename | None, tally: Tally) -> None:
        self._plan = plan
        self._payloads = payloads
        self._stop = threading.Event()
        self._errors: list[Exception] = []
        self._writers = [Writer(plan, number, settings, rename, tally) for number in range(plan.writers)]
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"writer-{number}", daemon=True)
            for number in range(plan.writers)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def is_at_work(self) -> bool:
        """Tell whether there is something left to upload."""
        return any(thread.is_alive() for thread in self._threads)

    def stop(self, seconds: float) -> None:
        """End after the step that is under way; TimeoutError where that takes too long, or what went wrong in it."""
        self._stop.set()
        for thread in self._threads:
            thread.join(seconds)
            if thread.is_alive():
                raise TimeoutError(f"{thread.name} does not end")
        if self._errors:
            raise self._errors[0]

    def give_up(self) -> None:
        """End some time soon, and let go of connections."""
        self._stop.set()
        for writer in self._writers:
            writer.close()

    def beliefs(self) -> dict[str, Belief]:
        """Return what all of them were told."""
        return {key: belief for writer in self._writers for key, belief in writer.beliefs.items()}

    def _work(self, number: int) -> None:
        try:
            self._write(number)
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            self._errors.append(error)

    def _write(self, number: int) -> None:
        clock, mine = Clock.now(), range(number, self._plan.objects, self._plan.writers)
        for index in mine:
            ahead = self._plan.seconds * index / self._plan.objects - clock.seconds
            if self._stop.wait(max(ahead, 0.0)):
                return
            self._writers[number].step(self._payloads)


def _client(settings: Settings) -> "S3Client":
    """Return a client that tries once: how often and when is the drill's business."""
    config = Config(
        signature_version="s3v4",
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 1},
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return make_session(settings).client("s3", endpoint_url=settings.s3_endpoint_url, config=config)
