"""The object store: one client factory, and the few operations that the archive needs."""

import datetime as dt
import re
import threading
from collections.abc import Generator, Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, BinaryIO

from shared.database import utc_now
from shared.errors import ObjectGoneError, StoreError, StoreUnavailableError
from shared.logs import clean_trace
from shared.settings import Settings
from shared.store.faults import translated
from shared.store.listing import Page, in_byte_order, ranges_behind
from shared.store.model import TRACE_METADATA, ObjectState
from shared.store.presign import Presigner
from shared.store.reading import RangeSource, pinned

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3 import S3Client

__all__ = ["Store"]

_CHUNK = 1 << 20
_DELETE_AT_ONCE = 1000
_EMPTY_NAME = re.compile(r"^(?=/)|(?<=/)(?=/)")
_LAST_BEFORE_SLASH = ".\U0010ffff"
_IN_BYTE_ORDER = ("AmazonS3", "MinIO")
"""How the servers call themselves that are known to list in byte order, as S3 wants it."""


class Store:
    """An S3-compatible object store.

    Every method raises the errors of ``shared.store.faults.translated``. Safe to share between threads. boto3, which
    takes long to import, is imported by who first asks for something: most answers of the API need none of it.

    Parameters
    ----------
    attempts, seconds
        How often something is tried, and how long each time if the store says nothing.
    """

    def __init__(self, settings: Settings, *, page_size: int = 1000, attempts: int = 4, seconds: float = 60.0) -> None:
        self._settings = settings
        self._attempts, self._seconds = attempts, seconds
        self._lock = threading.RLock()
        self._page_size = page_size
        self._in_byte_order: bool | None = None
        self._presigner = Presigner(settings, lambda: self._session, settings.s3_public_url or settings.s3_endpoint_url)
        self._ranges = RangeSource(settings, lambda: self._session, lambda: self.s3)

    @cached_property
    def s3(self) -> "S3Client":
        """The client of boto3."""
        from shared.store.session import make_s3_client  # noqa: PLC0415 - brings boto3

        with self._lock:
            made: S3Client | None = self.__dict__.get("s3")
            return made or make_s3_client(self._session, self._settings, attempts=self._attempts, seconds=self._seconds)

    @cached_property
    def _session(self) -> "boto3.session.Session":
        from shared.store.session import make_session  # noqa: PLC0415 - brings boto3

        with self._lock:
            made: boto3.session.Session | None = self.__dict__.get("_session")
            return made or make_session(self._settings)

    def head(self, bucket: str, key: str) -> ObjectState:
        """Return what the object is now; only what a listing has under this very key is one.

        Stores refuse keys that they can hold nothing under, and some give ``a/b`` to who asks for ``a//b``.
        """
        what = f"look at {bucket}/{key}"
        try:
            with translated("look at", bucket, key):
                answer = self.s3.head_object(Bucket=bucket, Key=key)
        except (ObjectGoneError, StoreUnavailableError):
            raise
        except StoreError as error:
            if self.listed(bucket, key) is None:
                raise ObjectGoneError(f"{what}: refused, and not listed") from error
            raise
        if not self._keeps_names(bucket, key):
            raise ObjectGoneError(f"{what}: not listed under this key")
        return ObjectState(
            bucket=bucket,
            key=key,
            etag=answer["ETag"].strip('"'),
            size=answer["ContentLength"],
            last_modified=_naive_utc(answer["LastModified"]),
            version_id=answer.get("VersionId"),
            trace=clean_trace(answer.get("Metadata", {}).get(TRACE_METADATA)),
        )

    def listed(self, bucket: str, key: str) -> ObjectState | None:
        """Return what a listing tells of the object, which may be more than the store lets us see of it otherwise."""
        found = self._list_page(bucket, key, size=1).objects[:1]
        return found[0] if found and found[0].key == key else None

    def _keeps_names(self, bucket: str, key: str) -> bool:
        """Tell whether the store is none that drops the empty names of a key: it lists what has the first of them."""
        empty = _EMPTY_NAME.search(key)
        if empty is None:
            return True
        folder = key[: empty.start()]
        found = self._list_page(bucket, folder, folder + _LAST_BEFORE_SLASH, size=1).objects
        return any(one.key.startswith(f"{folder}/") for one in found)

    def check(self, state: ObjectState) -> None:
        """Raise unless the object is still the one that ``state`` shows: ObjectGoneError or ObjectChangedError."""
        with translated("look at", state.bucket, state.key):
            self.s3.head_object(**pinned(state))

    def stream(self, state: ObjectState) -> Iterator[bytes]:
        """Yield the object's bytes in pieces of 1 MiB, all of them from the object that ``state`` shows.

        A connection that breaks off is taken up again where it ended, a few times.
        """
        return self.chunks(state, 0, state.size)

    def chunks(self, state: ObjectState, start: int, stop: int, size: int = _CHUNK) -> Generator[bytes, None, None]:
        """Yield the bytes ``start`` to ``stop`` (exclusive) as `stream` does, ``size`` at once."""
        return self._ranges.chunks(state, start, stop, size)

    def read_range(self, state: ObjectState, start: int, stop: int) -> bytes:
        """Return the bytes ``start`` to ``stop`` (exclusive) of exactly the object that ``state`` shows."""
        return b"".join(self.chunks(state, start, stop, max(stop - start, 1)))

    def read_bytes(self, bucket: str, key: str, limit: int) -> bytes:
        """Return a small object whole; StoreError if it is longer than ``limit`` bytes."""
        with translated("read", bucket, key):
            answer = self.s3.get_object(Bucket=bucket, Key=key)
            if answer["ContentLength"] > limit:
                answer["Body"].close()
                raise StoreError(f"read {bucket}/{key}: {answer['ContentLength']} bytes are more than {limit}")
            return answer["Body"].read()

    def write_bytes(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """Write a small object."""
        with translated("write", bucket, key):
            self.s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type)

    def upload(self, bucket: str, key: str, source: BinaryIO, **options: Any) -> None:
        """Write an object of any size from a file, in parts where it is large; ``options`` are boto3's."""
        with translated("write", bucket, key):
            self.s3.upload_fileobj(source, bucket, key, **options)

    def copy(self, source: ObjectState, bucket: str, key: str) -> None:
        """Copy an object of any size inside the store."""
        with translated("copy", source.bucket, source.key):
            self.s3.copy({"Bucket": source.bucket, "Key": source.key}, bucket, key)

    def delete(self, bucket: str, keys: tuple[str, ...]) -> None:
        """Delete objects; that one is not there is no error."""
        for start in range(0, len(keys), _DELETE_AT_ONCE):
            some = keys[start : start + _DELETE_AT_ONCE]
            with translated("delete", bucket, some[0]):
                answer = self.s3.delete_objects(
                    Bucket=bucket, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True}
                )
            if refused := answer.get("Errors"):
                first = refused[0]
                raise StoreUnavailableError(f"delete {bucket}/{first.get('Key')}: {first.get('Code')}")

    def walk(
        self, bucket: str, *, prefix: str = "", after: str = "", until: str | None = None
    ) -> Iterator[ObjectState]:
        """Yield the bucket's objects in byte order of their keys, those behind ``after`` and up to ``until`` only.

        Version ids are not part of a listing and stay None. A store whose listing is in byte order, and known for it,
        is asked for one page after the other; for others see `shared.store.listing`.
        """
        if self._lists_in_byte_order(bucket):
            found = self._walk_behind(bucket, prefix, after)
        else:
            found = in_byte_order(partial(self._list_page, bucket), prefix, after)
        last = ""
        for object_ in found:
            if until is not None and object_.key > until:
                return
            if object_.key < last:
                raise StoreError(f"list {bucket}: {object_.key!r} came behind {last!r}, which is no order of S3")
            last = object_.key
            yield object_

    def walk_as_listed(self, bucket: str, *, prefix: str = "", after: str = "") -> Iterator[ObjectState]:
        """Yield objects in the order of the store, which is that of bytes for keys of one folder at least."""
        page = self._list_page(bucket, prefix, after)
        yield from page.objects
        while page.is_truncated and page.token is not None:
            page = self._list_page(bucket, prefix, token=page.token)
            yield from page.objects

    def _walk_behind(self, bucket: str, prefix: str, after: str) -> Iterator[ObjectState]:
        for folder, begin, is_included in ranges_behind(prefix, after):
            if is_included:
                yield from (found for found in self._list_page(bucket, begin).objects[:1] if found.key == begin)
            yield from self.walk_as_listed(bucket, prefix=folder, after=begin)

    def _list_page(
        self, bucket: str, prefix: str, after: str = "", token: str | None = None, size: int | None = None
    ) -> Page:
        request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": size or self._page_size}
        if token is not None:
            request["ContinuationToken"] = token
        elif after:
            request["StartAfter"] = after
        with translated("list", bucket, prefix):
            answer = self.s3.list_objects_v2(**request)
        objects = [
            ObjectState(
                bucket=bucket,
                key=entry["Key"],
                etag=entry["ETag"].strip('"'),
                size=entry["Size"],
                last_modified=_naive_utc(entry["LastModified"]),
            )
            for entry in answer.get("Contents", [])
        ]
        return Page(objects, answer.get("IsTruncated", False), answer.get("NextContinuationToken"))

    def _lists_in_byte_order(self, bucket: str) -> bool:
        if self._in_byte_order is None:
            server = self._look_at_bucket(bucket).get("server", "")
            self._in_byte_order = server.startswith(_IN_BYTE_ORDER)
        return self._in_byte_order

    def _look_at_bucket(self, bucket: str) -> Mapping[str, str]:
        """Return the headers of the store's answer."""
        with translated("look at", bucket):
            return self.s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]

    def now(self, bucket: str) -> dt.datetime:
        """Return the time (naive UTC, whole seconds) by the clock from which objects get theirs: the store's."""
        date = self._look_at_bucket(bucket).get("date")
        return _naive_utc(parsedate_to_datetime(date)) if date else utc_now().replace(microsecond=0)

    def ensure_bucket(self, bucket: str) -> None:
        """Make the bucket where it is missing."""
        try:
            with translated("look at", bucket):
                self.s3.head_bucket(Bucket=bucket)
        except ObjectGoneError:
            with translated("make", bucket):
                self.s3.create_bucket(Bucket=bucket)

    def check_bucket(self, bucket: str) -> None:
        """Raise unless the bucket is there and answers."""
        with translated("look at", bucket):
            self.s3.head_bucket(Bucket=bucket)

    @property
    def presigner(self) -> Presigner:
        """What signs links with this store's keys."""
        return self._presigner

    def presign_get(
        self,
        key: str,
        *,
        bucket: str,
        filename: str | None = None,
        expires: dt.timedelta,
        content_type: str | None = None,
        version_id: str | None = None,
    ) -> str:
        """Return a link that lets anyone download the object until it expires; see ``Presigner.get``."""
        return self._presigner.get(
            key, bucket=bucket, filename=filename, expires=expires, content_type=content_type, version_id=version_id
        )


def _naive_utc(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(tzinfo=None)
