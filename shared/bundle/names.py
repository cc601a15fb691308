"""File names that every system can unpack, and that differ on every system."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from shared.index.text import fold
from shared.store.naming import basename_of

__all__ = ["MAX_NAME_BYTES", "safe_name", "unique_names"]

MAX_NAME_BYTES = 230
"""What a name may take in UTF-8; with a number behind it, it stays below the 255 of common file systems."""

_FORBIDDEN = frozenset('<>:"/\\|?*')
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE)
_NO_NAME = "frame"


def safe_name(filename: str) -> str:
    """Return a name that can be unpacked anywhere: no path, no control character, no device of Windows.

    The rules of Windows are the strictest ("Naming Files, Paths, and Namespaces", Microsoft); invisible characters
    that reorder or hide text go as well. A name that is safe stays as it is.

    >>> safe_name("../con.fits")
    '.._con.fits'
    >>> safe_name("aux.fits")
    '_aux.fits'
    """
    name = "".join("_" if _is_bad(char) else char for char in filename).strip(" ").rstrip(". ")
    name = _shortened(name) or _NO_NAME
    return f"_{name}" if _DEVICE.match(name) else name


def unique_names(filenames: Iterable[str]) -> Iterator[str]:
    """Yield a safe name for each file name; what would be the same file on some system gets a number.

    Names that differ only in case or in the composition of characters are the same for macOS and Windows.

    >>> list(unique_names(["a.fits.fz", "A.fits.fz", "a-2.fits.fz", "a.fits.fz"]))
    ['a.fits.fz', 'A-2.fits.fz', 'a-2-2.fits.fz', 'a-3.fits.fz']
    """
    used: dict[str, int] = {}
    for filename in filenames:
        name = safe_name(filename)
        folded = fold(name)
        if folded in used:
            name = _numbered(name, folded, used)
            folded = fold(name)
        used[folded] = 1
        yield name


def _numbered(name: str, folded: str, used: dict[str, int]) -> str:
    stem = basename_of(name)
    extension = name[len(stem) :]
    while True:
        used[folded] += 1
        numbered = f"{stem}-{used[folded]}{extension}"
        if fold(numbered) not in used:
            return numbered


def _is_bad(char: str) -> bool:
    return char in _FORBIDDEN or unicodedata.category(char) in _UNPRINTABLE


def _shortened(name: str) -> str:
    """Cut the stem, not the extension, and no character in two."""
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    extension = name[len(basename_of(name)) :][-32:]
    room = MAX_NAME_BYTES - len(extension.encode())
    return name.encode()[:room].decode(errors="ignore").rstrip(". ") + extension
