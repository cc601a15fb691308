"""How a zip is put together inside the store: which of its bytes are copied there, and which pass through us. Pure.

S3 wants every part of a multipart upload but the last to have 5 MiB, so what stands between two copied ranges must have
5 MiB, too: a header alone has not, and takes the rest from the beginning of its frame. Of a frame of 10 MiB or more,
fewer than 5 MiB pass through us.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.bundle.plan import Content, Piece

__all__ = ["MAX_PARTS", "MIN_PART", "ZipPart", "copies", "passed_bytes", "segments", "zip_parts"]

MIN_PART = 5 << 20
"""Bytes that every part but the last must have."""

MAX_PARTS = 10_000
"""Parts that one object may be made of."""

_COPIED_AT_ONCE = 512 << 20
"""What is copied by one request; S3 takes ten times as much, but not quicker than ten requests side by side."""

_PASSED_AT_ONCE = 5 << 20
_PASSED_AT_MOST = _PASSED_AT_ONCE + MIN_PART


@dataclass(frozen=True, slots=True)
class ZipPart:
    """Bytes ``start`` to ``stop`` (exclusive) of the zip: copied inside the store, or passed through us."""

    start: int
    stop: int
    copied: Piece | None = None

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.stop - self.start


def zip_parts(contents: Iterable[Content]) -> Iterator[ZipPart]:
    """Yield the parts of a zip in order, without gaps. No part that passes through us has more than 10 MiB."""
    begin = end = 0
    for content in contents:
        size = content.stop - content.start if isinstance(content, Piece) else len(content)
        filling = max(MIN_PART - (end - begin), 0)
        if isinstance(content, Piece) and size - filling >= MIN_PART:
            if end + filling > begin:
                yield ZipPart(begin, end + filling)
            rest = Piece(content.state, content.start + filling, content.stop)
            yield from copies(rest, end + filling)
            begin = end = end + size
            continue
        end += size
        while end - begin > _PASSED_AT_MOST:
            yield ZipPart(begin, begin + _PASSED_AT_ONCE)
            begin += _PASSED_AT_ONCE
    if end > begin:
        yield ZipPart(begin, end)


def copies(piece: Piece, position: int) -> Iterator[ZipPart]:
    """Yield parts of nearly the same length that copy a piece to ``position``, each of 512 MiB at most."""
    size = piece.stop - piece.start
    count = -(-size // _COPIED_AT_ONCE)
    cuts = [size * number // count for number in range(count + 1)]
    for start, stop in pairwise(cuts):
        yield ZipPart(position + start, position + stop, Piece(piece.state, piece.start + start, piece.start + stop))


def segments(parts: Sequence[ZipPart], limit: int = MAX_PARTS) -> list[Sequence[ZipPart]]:
    """Cut parts into runs of at most ``limit``; each becomes an object, and these are copied into one."""
    return [parts[begin : begin + limit] for begin in range(0, len(parts), limit)]


def passed_bytes(parts: Iterable[ZipPart]) -> int:
    """Return how many bytes pass through us."""
    return sum(part.size for part in parts if part.copied is None)
