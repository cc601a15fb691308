"""Which ETags an object made of a local file can have."""

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["FileDigests", "digests_of"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileDigests:
    """Digests of a file, in hexadecimal: of an object written at once, and of one written in parts."""

    md5: str
    md5_of_parts: str
    sha256: str

    @property
    def etags(self) -> tuple[str, str]:
        """The ETags that an S3 store gives to these bytes, if it does not encrypt them with a key of its own."""
        return self.md5, self.md5_of_parts


def digests_of(source: BinaryIO, part_bytes: int) -> FileDigests:
    """Read a file once; parts are ``part_bytes`` long, the last one shorter."""
    whole, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    parts: list[bytes] = []
    part, length = hashlib.md5(usedforsecurity=False), 0
    while chunk := source.read(min(_CHUNK, part_bytes - length)):
        for digest in (whole, sha256, part):
            digest.update(chunk)
        length += len(chunk)
        if length == part_bytes:
            parts.append(part.digest())
            part, length = hashlib.md5(usedforsecurity=False), 0
    if length or not parts:
        parts.append(part.digest())
    of_parts = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return FileDigests(whole.hexdigest(), f"{of_parts}-{len(parts)}", sha256.hexdigest())
