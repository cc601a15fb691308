"""Plans for tests, and the whole zip of a plan."""

import datetime as dt
import io
from collections.abc import Iterable

from shared.bundle.plan import Content, Entry, Piece, Plan
from shared.store.model import ObjectState

__all__ = ["MOMENT", "PlannedFile", "made", "stored", "whole"]

MOMENT = dt.datetime(2026, 11, 21, 20, 15, 30)


def stored(name: str, size: int, *, crc32: int = 0, key: str = "", etag: str = "e") -> Entry:
    """Return an entry whose bytes are an object in the store."""
    state = ObjectState(bucket="frames", key=key or name, etag=etag, size=size, last_modified=MOMENT)
    return Entry(name, crc32, MOMENT, state)


def made(name: str, data: bytes, modified: dt.datetime = MOMENT) -> Entry:
    """Return an entry of these bytes."""
    return Entry.made(name, data, modified)


def whole(contents: Iterable[Content]) -> bytes:
    """Return the bytes; what would come from the store is zeros."""
    return b"".join(bytes(c.stop - c.start) if isinstance(c, Piece) else c for c in contents)


class PlannedFile(io.RawIOBase):
    """The zip of a plan as a file that can be read anywhere, however long; objects are zeros."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.plan.length}[whence]
        self.position = max(base + offset, 0)
        return self.position

    def read(self, size: int = -1) -> bytes:
        stop = self.plan.length if size < 0 else min(self.position + size, self.plan.length)
        data = whole(self.plan.contents(self.position, stop)) if stop > self.position else b""
        self.position += len(data)
        return data
