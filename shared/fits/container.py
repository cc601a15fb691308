"""The stream that a FITS file may have been packed into: gzip or bzip2, told by its first bytes."""

import bz2
import errno
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from shared.errors import BadContainerError, TooLargeError
from shared.fits.model import Container

__all__ = ["container_of", "unpacked"]

_READ = 1 << 15
_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_BZIP2_BLOCKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")


class _Member(Protocol):
    """One gzip member or bzip2 stream under decompression."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class _GzipMember:
    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._inflate.eof:
            yield self._inflate.decompress(data, _CHUNK)
            data = self._inflate.unconsumed_tail


class _Bzip2Member:
    def __init__(self) -> None:
        self._expand = bz2.BZ2Decompressor()

    @property
    def eof(self) -> bool:
        return self._expand.eof

    @property
    def unused_data(self) -> bytes:
        return self._expand.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._expand.decompress(data, _CHUNK)
        while not self._expand.eof and not self._expand.needs_input:
            yield self._expand.decompress(b"", _CHUNK)


_MEMBERS: dict[Container, Callable[[], _Member]] = {Container.GZIP: _GzipMember, Container.BZIP2: _Bzip2Member}


def container_of(head: bytes) -> Container:
    """Return the container that a file's first ten bytes announce.

    The file's name plays no part: ``.fits.gz`` files that are plain FITS, and ``.fits`` files that are
    gzip streams, are both common.
    """
    if head.startswith(_GZIP_MAGIC):
        return Container.GZIP
    if head[:3] == b"BZh" and head[3:4].isdigit() and head[4:10] in _BZIP2_BLOCKS:
        return Container.BZIP2
    return Container.NONE


@contextmanager
def unpacked(path: Path, *, work_dir: Path | None, limit: int) -> Iterator[tuple[Path, Container]]:
    """Give the plain FITS file in an object, unpacked to a temporary file where need be.

    One level is unpacked: a gzip stream inside a gzip stream is left for `describe` to refuse.

    Parameters
    ----------
    path
        The object's bytes.
    work_dir
        Folder of the temporary file; None is the system's.
    limit
        Most bytes that a stream may unpack to.

    Yields
    ------
    tuple of Path and Container
        The plain file, which is ``path`` itself if nothing was packed, and what it was packed into. A
        temporary file is gone when the context is left.

    Raises
    ------
    BadContainerError
        The stream is cut off or damaged, or other bytes follow it.
    TooLargeError
        It unpacks to more than ``limit`` bytes, or to more than the disk of ``work_dir`` holds.
    OSError
        The disk is too full just now.
    """
    with path.open("rb") as source:
        container = container_of(source.read(10))
        if container is Container.NONE:
            yield path, container
            return
        source.seek(0)
        with tempfile.TemporaryDirectory(prefix="fitsvault-", dir=work_dir) as folder:
            plain = Path(folder) / "plain.fits"
            _unpack_to(plain, source, container, limit)
            yield plain, container


def _unpack_to(plain: Path, source: BinaryIO, container: Container, limit: int) -> None:
    try:
        with plain.open("wb") as target:
            _unpack(source, target, container, limit)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        plain.unlink()
        _check_disk(source, container, shutil.disk_usage(plain.parent).total)
        raise


def _check_disk(source: BinaryIO, container: Container, capacity: int) -> None:
    """Refuse what this disk could not hold if it were empty: to try that again would fill it again."""
    source.seek(0)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path of ours
            _unpack(source, nowhere, container, capacity)
    except TooLargeError as error:
        raise TooLargeError(
            f"{container} stream unpacks to more than the {capacity:,} bytes of the disk that ingest works on"
        ) from error


def _unpack(source: BinaryIO, target: BinaryIO, container: Container, limit: int) -> None:
    written = 0
    member: _Member | None = None
    while chunk := source.read(_READ):
        while chunk:
            if member is None:
                member = _next_member(chunk, source, container, written)
                if member is None:
                    return
            written = _feed(member, chunk, target, container, limit, written)
            if not member.eof:
                break
            chunk, member = member.unused_data, None
    if member is not None:
        raise BadContainerError(
            f"{container} stream is cut off after {written:,} bytes of content: was the upload interrupted?"
        )


def _feed(member: _Member, chunk: bytes, target: BinaryIO, container: Container, limit: int, written: int) -> int:
    pieces = member.feed(chunk)
    while (piece := _next_piece(pieces, container, written)) is not None:
        written += len(piece)
        if written > limit:
            raise TooLargeError(f"{container} stream unpacks to more than the {limit:,} bytes that are allowed")
        target.write(piece)
    return written


def _next_piece(pieces: Iterator[bytes], container: Container, written: int) -> bytes | None:
    try:
        return next(pieces, None)
    except (zlib.error, OSError) as error:
        raise BadContainerError(
            f"{container} stream is damaged; {written:,} bytes of content came out before that ({_cause(error)})"
        ) from error


def _next_member(chunk: bytes, source: BinaryIO, container: Container, written: int) -> _Member | None:
    """Start the stream that follows in ``chunk``; None if only zero padding is left."""
    if chunk[0] != 0 or written == 0:
        if written and not _may_begin(chunk, container):
            raise BadContainerError(
                f"{container} stream is complete after {written:,} bytes of content, "
                f"but other bytes follow that are no {container} stream"
            )
        return _MEMBERS[container]()
    rest = chunk
    while rest:
        if rest.strip(b"\0"):
            raise BadContainerError(
                f"{container} stream is complete after {written:,} bytes of content, "
                "but other bytes follow its zero padding"
            )
        rest = source.read(_READ)
    return None


def _may_begin(chunk: bytes, container: Container) -> bool:
    magic = _GZIP_MAGIC if container is Container.GZIP else b"BZh"
    return chunk.startswith(magic[: len(chunk)])


def _cause(error: Exception) -> str:
    text = str(error)
    if "incorrect data check" in text:
        return "the CRC does not match the content"
    if "incorrect length check" in text:
        return "the length does not match the content"
    return text.rsplit(": ", 1)[-1].lower() or "invalid data"
