"""The exact layout of a zip, from what is known of its entries: no input, no output, no bytes of frames."""

import datetime as dt
import hashlib
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.bundle.crc import combined_crc32
from shared.bundle.records import (
    directory_record,
    directory_record_size,
    end_records,
    local_header,
    local_header_size,
)
from shared.store.model import ObjectState

__all__ = ["Content", "Entry", "Piece", "Plan"]

_RECORDS_AT_ONCE = 256
_FORMAT = "fitsvault zip 1"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes ``start`` to ``stop`` (exclusive) of an object in the store."""

    state: ObjectState
    start: int
    stop: int


Content = bytes | Piece
"""Bytes of the zip: made by the plan, or to be had from the store."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the zip.

    ``name`` is its whole path in there, ``modified`` naive UTC; ``content`` is the object in the store, or the bytes
    themselves.
    """

    name: str
    crc32: int
    modified: dt.datetime
    content: ObjectState | bytes

    @classmethod
    def made(cls, name: str, data: bytes, modified: dt.datetime) -> "Entry":
        """Return an entry of these very bytes."""
        return cls(name, zlib.crc32(data), modified, data)

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.size


class Plan:
    """Which bytes stand where in the zip of ``entries``.

    Attributes
    ----------
    length
        Bytes of the whole zip.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._offsets = array("Q", [0])
        for entry in self.entries:
            header = local_header_size(entry.name.encode(), entry.size)
            self._offsets.append(self._offsets[-1] + header + entry.size)
        self._records = array("Q", [self._offsets[-1]])
        for entry, offset in zip(self.entries, self._offsets, strict=False):
            record = directory_record_size(entry.name.encode(), entry.size, offset)
            self._records.append(self._records[-1] + record)
        begin, end = self._records[0], self._records[-1]
        self._end = end_records(len(self.entries), end - begin, begin)
        self.length = end + len(self._end)

    def identity(self) -> str:
        """Return a hex name of the zip's bytes: the same for the same entries, another for any others."""
        digest = hashlib.sha256(_FORMAT.encode())
        for entry in self.entries:
            content = entry.content
            made_of = content if isinstance(content, bytes) else f"{content.etag}\n{content.version_id}".encode()
            told = f"{entry.name}\n{entry.size}\n{entry.crc32}\n{entry.modified.isoformat()}\n{len(made_of)}\n"
            digest.update(told.encode() + made_of)
        return digest.hexdigest()[:32]

    def crc32(self) -> int:
        """Return the CRC-32 of the whole zip, without a look at any frame."""
        crc32 = 0
        for entry in self.entries:
            crc32 = zlib.crc32(_header(entry), crc32)
            crc32 = combined_crc32(crc32, entry.crc32, entry.size)
        for content in self.contents(self._records[0]):
            crc32 = zlib.crc32(content if isinstance(content, bytes) else b"", crc32)
        return crc32

    def contents(self, start: int = 0, stop: int | None = None) -> Iterator[Content]:
        """Yield the bytes ``start`` to ``stop`` (exclusive, by default all) of the zip, in order, none empty."""
        stop = self.length if stop is None else min(stop, self.length)
        for begin, content in self._layout(start):
            if begin >= stop:
                return
            cut = _slice(content, max(start - begin, 0), stop - begin)
            if _size(cut):
                yield cut

    def states(self, start: int = 0, stop: int | None = None) -> Iterator[ObjectState]:
        """Yield the objects that the bytes ``start`` to ``stop`` are made of."""
        stop = self.length if stop is None else stop
        for index in range(self._entry_at(start), len(self.entries)):
            content = self.entries[index].content
            if self._offsets[index] >= stop:
                return
            if not isinstance(content, bytes):
                yield content

    def _layout(self, position: int) -> Iterator[tuple[int, Content]]:
        """Yield offset and content of all that stands from the entry on that ``position`` lies in."""
        for index in range(self._entry_at(position), len(self.entries)):
            entry, offset = self.entries[index], self._offsets[index]
            header = _header(entry)
            yield offset, header
            content = entry.content
            yield (
                offset + len(header),
                content if isinstance(content, bytes) else Piece(content, 0, content.size),
            )
        first = max(bisect_right(self._records, position) - 1, 0)
        for begin in range(first, len(self.entries), _RECORDS_AT_ONCE):
            yield self._records[begin], self._directory(begin, begin + _RECORDS_AT_ONCE)
        yield self._records[-1], self._end

    def _entry_at(self, position: int) -> int:
        return bisect_right(self._offsets, position) - 1

    def _directory(self, begin: int, end: int) -> bytes:
        return b"".join(
            directory_record(entry.name.encode(), entry.size, entry.crc32, entry.modified, offset)
            for entry, offset in zip(self.entries[begin:end], self._offsets[begin:end], strict=False)
        )


def _header(entry: Entry) -> bytes:
    return local_header(entry.name.encode(), entry.size, entry.crc32, entry.modified)


def _slice(content: Content, start: int, stop: int) -> Content:
    if isinstance(content, bytes):
        return content[start:stop]
    return Piece(content.state, content.start + start, min(content.start + stop, content.stop))


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else max(content.stop - content.start, 0)
