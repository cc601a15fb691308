"""The checksums that the archive keeps of bytes."""

import hashlib
import zlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["Checksums"]

_CHUNK = 1 << 20


class Checksums:
    """CRC-32 and SHA-256 of bytes as they come, with their length."""

    def __init__(self) -> None:
        self.size = 0
        self.crc32 = 0
        self._sha256 = hashlib.sha256()

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> "Checksums":
        """Take them of chunks."""
        sums = cls()
        for chunk in chunks:
            sums.add(chunk)
        return sums

    @classmethod
    def of_file(cls, path: Path) -> "Checksums":
        """Take them of a file."""
        with path.open("rb") as file:
            return cls.of(iter(lambda: file.read(_CHUNK), b""))

    def add(self, chunk: bytes) -> None:
        """Go on with these bytes."""
        self.size += len(chunk)
        self.crc32 = zlib.crc32(chunk, self.crc32)
        self._sha256.update(chunk)

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits."""
        return self._sha256.hexdigest()
