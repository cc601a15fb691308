"""File names that are safe to write, from names that others gave. Pure."""

import re
import unicodedata
from pathlib import PurePosixPath

from shared.store.naming import basename_of

__all__ = ["Placer", "safe_name"]

_MAX_BYTES = 200
_SEPARATORS = re.compile(r"[/\\]")
_UNSAFE = re.compile(r'[<>:"|?*]')


def safe_name(name: str, fallback: str) -> str:
    """Return one path component that begins with no dot, steers no terminal, and is at most 200 bytes long.

    >>> safe_name("../../.bashrc", "frame-1")
    '_bashrc'
    """
    last = _SEPARATORS.split(name)[-1]
    visible = "".join("_" if unicodedata.category(c)[0] == "C" else c for c in last)
    plain = _UNSAFE.sub("_", visible).rstrip(". ")
    if plain.startswith("."):
        plain = "_" + plain[1:]
    return _shortened(plain) or fallback


def _shortened(name: str) -> str:
    stem = basename_of(name)
    extension = name[len(stem) :]
    room = max(_MAX_BYTES - len(extension.encode()), 0)
    return stem.encode()[:room].decode(errors="ignore") + extension if len(name.encode()) > _MAX_BYTES else name


class Placer:
    """Gives each frame a path of its own: of two with one name, however written, the later has its id in it."""

    def __init__(self, *, tree: bool) -> None:
        self._tree = tree
        self._taken: set[str] = set()

    def place(self, frame_id: int, filename: str, key: str) -> PurePosixPath:
        """Return a relative path: the file name, or with ``tree`` the folders of the object's key before it."""
        fallback = f"frame-{frame_id}"
        name = safe_name(filename, fallback)
        folders = [safe_name(part, "_") for part in key.split("/")[:-1]] if self._tree else []
        path = PurePosixPath(*folders, name)
        if self._fold(path) in self._taken:
            stem = basename_of(name)
            path = path.with_name(f"{stem}-{frame_id}{name[len(stem) :]}")
        while self._fold(path) in self._taken:
            path = path.with_name(f"_{path.name}")
        self._taken.add(self._fold(path))
        return path

    @staticmethod
    def _fold(path: PurePosixPath) -> str:
        return unicodedata.normalize("NFC", str(path)).casefold()
