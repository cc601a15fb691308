"""One HDU of a file, dressed as a FITS file of its own, so that a reader sees neither its neighbours nor its header."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.fits.model import Card, CardValue

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["HduWindow"]

BLOCK = 2880
PRIMARY = (("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 0), ("EXTEND", True))


class HduWindow(io.RawIOBase):
    """An empty primary HDU, a header of the given cards and the data unit of a file, zero where the file has ended.

    Parameters
    ----------
    path
        The FITS file.
    cards
        The only cards that readers shall see.
    offset, length
        The data unit in bytes.
    """

    def __init__(self, path: Path, cards: Sequence[Card], offset: int, length: int) -> None:
        primary = [Card(keyword, value) for keyword, value in PRIMARY]
        self._head = _header_bytes(primary) + _header_bytes(cards)
        self._offset = offset
        self._data_end = len(self._head) + length
        self._end = len(self._head) + -(-length // BLOCK) * BLOCK
        self._position = 0
        self._file = path.open("rb")

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move the position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._end}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill the buffer as far as one part of the window reaches."""
        view = memoryview(buffer).cast("B")
        chunk = self._chunk(min(len(view), self._end - self._position))
        view[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    def _chunk(self, size: int) -> bytes:
        if size <= 0:
            return b""
        if self._position < len(self._head):
            return self._head[self._position : self._position + size]
        if self._position < self._data_end:
            self._file.seek(self._offset + self._position - len(self._head))
            chunk = self._file.read(min(size, self._data_end - self._position))
            if chunk:
                return chunk
        return bytes(min(size, BLOCK))


def _header_bytes(cards: Sequence[Card]) -> bytes:
    images = [f"{card.keyword:<8}= {_value(card.value)}"[:80].ljust(80) for card in cards]
    text = "".join([*images, "END".ljust(80)])
    return text.encode("ascii", "replace").ljust(-(-len(text) // BLOCK) * BLOCK)


def _value(value: CardValue) -> str:
    match value:
        case bool():
            return f"{'T' if value else 'F':>20}"
        case str():
            return "'" + value[:60].replace("'", "''").ljust(8) + "'"
        case _:
            return f"{value!r:>20}"
