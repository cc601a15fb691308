"""A zip whose bytes depend on the contents alone: names in order, one time, one mode."""

import zipfile
from pathlib import Path

__all__ = ["write_zip"]

_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644
_UNIX = 3


def write_zip(folder: Path, target: Path) -> int:
    """Write all files of a folder into a new zip, and return how many bytes they are unzipped."""
    size = 0
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _TIME)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, _UNIX, _MODE << 16
            data = path.read_bytes()
            archive.writestr(entry, data)
            size += len(data)
    partial.replace(target)
    return size
