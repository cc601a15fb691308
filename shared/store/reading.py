"""Reading ranges of exactly the object that was seen, taken up again where a connection breaks off.

boto3 takes more than a millisecond of a core to ask for a range; a link that is signed here, and sent by boto3's own
HTTP session, takes a third of that. Whatever is not answered with the bytes is asked once more by boto3, which knows
what answers mean. On AWS it is always boto3, which knows its many addresses.
"""

import datetime as dt
from collections.abc import Callable, Generator
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.errors import StoreError, StoreUnavailableError
from shared.settings import Settings
from shared.store.faults import translated
from shared.store.model import ObjectState
from shared.store.presign import Presigner

if TYPE_CHECKING:
    import boto3
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

    from shared.store.linked import LinkedBytes

__all__ = ["RangeSource", "pinned"]

_RESUMES = 4
_LINK_LIFE = dt.timedelta(minutes=5)


class RangeSource:
    """Where ranges of objects come from. Safe to share between threads."""

    def __init__(
        self, settings: Settings, session: Callable[[], "boto3.session.Session"], s3: Callable[[], "S3Client"]
    ) -> None:
        self._s3 = s3
        self._address = settings.s3_endpoint_url
        self._presigner = Presigner(settings, session, self._address)

    def chunks(self, state: ObjectState, start: int, stop: int, size: int) -> Generator[bytes, None, None]:
        """Yield the bytes ``start`` to ``stop`` (exclusive), ``size`` at once; only the last are fewer."""
        with closing(_Reading(self, state, start, stop)) as reading:
            for position in range(start, stop, size):
                yield reading.read(min(size, stop - position))

    def open(self, state: ObjectState, start: int, stop: int) -> "StreamingBody":
        """Ask for a range; what boto3 raises is not translated."""
        body = self._by_link(state, start, stop)
        if body is not None:
            return body
        answer = self._s3().get_object(**pinned(state), Range=_range(start, stop))
        if answer["ContentLength"] != stop - start:
            answer["Body"].close()
            raise StoreError(f"read {state.bucket}/{state.key}: {answer['ContentLength']} bytes for {stop - start}")
        return answer["Body"]

    def _by_link(self, state: ObjectState, start: int, stop: int) -> "StreamingBody | None":
        if self._links is None:
            return None
        try:
            link = self._presigner.get(state.key, bucket=state.bucket, expires=_LINK_LIFE, version_id=state.version_id)
        except StoreError:
            return None
        headers = {"Range": _range(start, stop), "If-Match": f'"{state.etag}"', "Accept-Encoding": "identity"}
        return self._links.open(link, headers, stop - start)

    @cached_property
    def _links(self) -> "LinkedBytes | None":
        from shared.store.linked import LinkedBytes  # noqa: PLC0415 - brings boto3

        return LinkedBytes(self._address) if self._address is not None else None


class _Reading:
    """A range that is being read."""

    def __init__(self, source: RangeSource, state: ObjectState, start: int, stop: int) -> None:
        self._source = source
        self._state = state
        self._position, self._stop = start, stop
        self._body: StreamingBody | None = None
        self._breaks = 0

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        data = self._some(size)
        while len(data) < size:
            data += self._some(size - len(data))
        return data

    def close(self) -> None:
        """Let go of the connection."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def _some(self, size: int) -> bytes:
        """Return up to ``size`` bytes, none if the connection broke off and shall be taken up again."""
        state = self._state
        try:
            with translated("read", state.bucket, state.key):
                if self._body is None:
                    self._body = self._source.open(state, self._position, self._stop)
                data: bytes = self._body.read(size)
        except StoreUnavailableError:
            self.close()
            self._breaks += 1
            if self._breaks > _RESUMES:
                raise
            return b""
        self._position += len(data)
        return data


def pinned(state: ObjectState) -> dict[str, Any]:
    """Return the request for an object that the store refuses once it is another."""
    request = {"Bucket": state.bucket, "Key": state.key, "IfMatch": f'"{state.etag}"'}
    return request if state.version_id in (None, "null") else request | {"VersionId": state.version_id}


def _range(start: int, stop: int) -> str:
    return f"bytes={start}-{stop - 1}"
