"""`make prove-zip64`: a zip with a frame of more than 4 GiB, made for real: sent, built in the bucket, and unpacked.

The frame is zeros but for its ends. It takes some minutes and 15 GB of disk, so it is no part of `make test`.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from shared.bundle.build import BundleBuilder, Uploads
from shared.bundle.plan import Content, Entry, Plan
from shared.bundle.stream import pieces
from shared.store import multipart
from shared.store.client import Store
from shared.store.model import ObjectState
from tests.archive import running_archive
from tests.bundle.layouts import MOMENT

__all__ = ["main"]

SIZE = (4 << 30) + (300 << 20) + 17
_PART = 64 << 20
_BUCKET, _KEY = "large", "bundles/large.zip"


def main() -> None:
    """Print what each program says."""
    with tempfile.TemporaryDirectory() as folder, running_archive(Path(folder) / "home") as archive:
        store = archive.store
        store.ensure_bucket(_BUCKET)
        plan = Plan([_large(store), _small(store, "behind it")])
        began = time.monotonic()
        passed = BundleBuilder(store, archive.derived).build(plan, _KEY, Uploads())
        _tell(f"built {plan.length} bytes in {time.monotonic() - began:.0f} s; {passed} passed through the function")
        path = Path(folder) / "large.zip"
        built = _written(store.stream(store.head(archive.derived, _KEY)), path)
        sent = _written(_virtual(store, plan.contents()), None)
        assert built == sent, "built and virtual zip differ"
        _tell(f"built and virtual zip are the same: SHA-256 {built.hex()}")
        assert _crc32(path) == plan.crc32()
        _tell(f"CRC-32 of the whole as planned: {plan.crc32():08x}")
        with zipfile.ZipFile(path) as opened:
            assert opened.testzip() is None
            assert [info.file_size for info in opened.infolist()] == [SIZE, 9]
        _tell("zipfile: no errors")
        for command in (["unzip", "-tq"], ["7zz", "t"], ["bsdtar", "-tf"]):
            program = shutil.which(command[0])
            if program is not None:
                subprocess.run([program, *command[1:], str(path)], check=True, stdout=subprocess.DEVNULL)
            _tell(f"{command[0]}: {'no errors' if program else 'not here'}")


def _large(store: Store) -> Entry:
    """Put the frame, in parts: all but the first and the last are the same zeros."""
    upload = multipart.begin(store, _BUCKET, "large.fits", "application/fits")
    crc32, parts = 0, []
    for number, start in enumerate(range(0, SIZE, _PART), 1):
        data = bytearray(min(_PART, SIZE - start))
        data[:6] = b"SIMPLE" if number == 1 else data[:6]
        data[-1] = number % 251
        crc32 = zlib.crc32(data, crc32)
        parts.append(multipart.write_part(store, _BUCKET, "large.fits", upload, number, _file(data)))
    multipart.complete(store, _BUCKET, "large.fits", upload, parts)
    return Entry("night/large.fits", crc32, MOMENT, _state(store, "large.fits"))


def _small(store: Store, text: str) -> Entry:
    store.write_bytes(_BUCKET, "small.fits", text.encode(), "application/fits")
    return Entry("night/small.fits", zlib.crc32(text.encode()), MOMENT, _state(store, "small.fits"))


def _state(store: Store, key: str) -> ObjectState:
    return store.head(_BUCKET, key)


def _file(data: bytearray) -> BytesIO:
    return BytesIO(data)


def _virtual(store: Store, contents: Iterator[Content]) -> Iterator[bytes]:
    for content in pieces(contents):
        yield content if isinstance(content, bytes) else store.read_range(content.state, content.start, content.stop)


def _written(chunks: Iterator[bytes], path: Path | None) -> bytes:
    digest = hashlib.sha256()
    with (path or Path("/dev/null")).open("wb") as out:
        for chunk in chunks:
            digest.update(chunk)
            out.write(chunk)
    return digest.digest()


def _crc32(path: Path) -> int:
    crc32 = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            crc32 = zlib.crc32(chunk, crc32)
    return crc32


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
