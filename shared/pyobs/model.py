"""Frames and accounts of a pyobs-archive as plain data, and where the file of a frame goes: pure."""

import datetime as dt
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shared.errors import SourceError

__all__ = ["FILE_EXTENSION", "PyobsFrame", "PyobsUser", "local_path", "object_key"]

FILE_EXTENSION = ".fits.fz"
"""What a pyobs-archive adds to the basename of every frame."""

_MAX_KEY = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PyobsFrame:
    """A row of ``api_frame``; ``related`` holds ids and basenames, by id. ``date_obs`` is naive UTC."""

    id: int
    basename: str
    path: str
    date_obs: dt.datetime
    related: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PyobsUser:
    """A row of ``auth_user`` with its keys of ``authtoken_token`` and when they were made. Times are naive UTC."""

    username: str
    password: str
    is_active: bool
    is_staff: bool
    is_superuser: bool
    date_joined: dt.datetime
    last_login: dt.datetime | None = None
    tokens: tuple[tuple[str, dt.datetime], ...] = ()


def local_path(frame: PyobsFrame, root: Path) -> Path:
    """Return where the frame's file lies.

    Raises
    ------
    SourceError
        It would lie outside of the archive's root, or have a name that no file has.
    """
    return root.joinpath(*_segments(frame, root))


def object_key(frame: PyobsFrame, root: Path, prefix: str = "") -> str:
    """Return the key of the frame's file in the bucket: its path below the archive's root.

    >>> frame = PyobsFrame(id=1, basename="a-e00", path="site/2026-11-21/", date_obs=dt.datetime(2026, 11, 21))
    >>> object_key(frame, Path("/data"))
    'site/2026-11-21/a-e00.fits.fz'

    Raises
    ------
    SourceError
        As for `local_path`; or the key is longer than a store takes.
    """
    key = prefix + "/".join(_segments(frame, root))
    if len(key.encode()) > _MAX_KEY:
        raise SourceError(f"a key of more than {_MAX_KEY} bytes")
    return key


def _segments(frame: PyobsFrame, root: Path) -> list[str]:
    folder = PurePosixPath(frame.path)
    if folder.is_absolute():
        if not folder.is_relative_to(root.as_posix()):
            raise SourceError(f"its path {frame.path!r} is not below {root}")
        folder = folder.relative_to(root.as_posix())
    if "/" in frame.basename or not frame.basename:
        raise SourceError(f"no file has the name {frame.basename!r}")
    segments = [*folder.parts, frame.basename + FILE_EXTENSION]
    if ".." in segments:
        raise SourceError(f"its path {frame.path!r} leads out of {root}")
    if any(unicodedata.category(character) in ("Cc", "Cs") for segment in segments for character in segment):
        raise SourceError(f"control characters in {frame.path + frame.basename!r}")
    return segments
