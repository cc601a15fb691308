"""What the tests of uploads share."""

import hashlib
import io
from typing import Any

import numpy as np
from astropy.io import fits

from shared.simulator import simulate_frame
from tests.archive import RunningArchive

__all__ = ["changed", "frame_data", "large_frame", "objects", "sha256", "stored", "upload"]


def upload(archive: RunningArchive, *files: tuple[str, bytes], field: str | None = None) -> dict[str, Any]:
    """Post files as a form, and return the answer's document."""
    parts = [(field or f"file{number}", file) for number, file in enumerate(files, 1)]
    answer = archive.http.post("/frames/create/", files=parts, timeout=120)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def changed(data: bytes, **cards: Any) -> bytes:
    """Return a simulated frame with other cards in its science header; None removes one."""
    with fits.open(io.BytesIO(data)) as file:
        for keyword, value in cards.items():
            name = keyword.replace("_", "-")
            if value is None:
                del file["SCI"].header[name]
            else:
                file["SCI"].header[name] = value
        target = io.BytesIO()
        file.writeto(target)
    return target.getvalue()


def frame_data(**keywords: Any) -> bytes:
    """Return the bytes of a simulated frame."""
    return simulate_frame(**keywords).data


def large_frame(name: str, side: int) -> bytes:
    """Return a frame of ``side`` by ``side`` pixels of two bytes, which are noise."""
    with fits.open(io.BytesIO(simulate_frame(name=name, EXTNAME="SCI").data)) as file:
        header = file[0].header
        for keyword in ("CHECKSUM", "DATASUM"):
            header.remove(keyword, ignore_missing=True)
        target = io.BytesIO()
        fits.PrimaryHDU(np.random.default_rng(1).integers(0, 65535, (side, side), np.uint16), header).writeto(target)
    return target.getvalue()


def objects(archive: RunningArchive, prefix: str = "") -> dict[str, str]:
    """Return the ETags of the objects below a prefix."""
    return {found.key: found.etag for found in archive.store.walk(archive.bucket, prefix=prefix)}


def stored(archive: RunningArchive, frame: dict[str, Any]) -> bytes:
    """Return the bytes of a frame's object."""
    return archive.store.read_bytes(archive.bucket, frame["key"], 1 << 30)


def sha256(data: bytes) -> str:
    """Return the hexadecimal digest."""
    return hashlib.sha256(data).hexdigest()
