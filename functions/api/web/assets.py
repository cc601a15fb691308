"""Style sheet, scripts and icon: under names that hold a hash of all of them, so that browsers may keep them."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["MODULES", "Asset", "asset_path", "find_asset", "version"]

_FOLDER = Path(__file__).parent / "static"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_CLASSIC = "theme.js"

MODULES = tuple(sorted(path.name for path in _FOLDER.glob("*.js") if path.name != _CLASSIC))
"""The scripts that import each other: pages name them all, so that browsers fetch them at once and not one by one."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; ``packed`` is the same by gzip."""

    media_type: str
    content: bytes
    packed: bytes


def asset_path(name: str) -> str:
    """Return the path of an asset below the archive's address; KeyError if there is none of this name."""
    _assets()[name]
    return f"/static/{version()}/{name}"


def find_asset(name: str) -> Asset | None:
    """Return the asset of a name."""
    return _assets().get(name)


@cache
def version() -> str:
    """Return the hash of all assets: modules name each other without it, and meet none of another version."""
    together = hashlib.sha256()
    for name, asset in _assets().items():
        together.update(f"{name}\0{len(asset.content)}\0".encode() + asset.content)
    return together.hexdigest()[:16]


@cache
def _assets() -> dict[str, Asset]:
    return {path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _KINDS}


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(_KINDS[path.suffix], content, gzip.compress(content, mtime=0))
