"""Shared objects without what nobody loads: symbols for debuggers, of which some wheels have more than of code.

Not the ``strip`` of binutils, which knows one architecture, and whose versions do not write the same bytes.
"""

import struct
from pathlib import Path

__all__ = ["loaded_part", "strip"]

_ELF_64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
"""Elf64_Ehdr: `elf(5) <https://man7.org/linux/man-pages/man5/elf.5.html>`_."""
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
"""Elf64_Phdr."""


def strip(folder: Path) -> None:
    """Cut the end off every shared object below a folder that is never loaded."""
    for path in folder.rglob("*.so*"):
        if path.is_file():
            data = path.read_bytes()
            kept = loaded_part(data)
            if kept != data:
                path.write_bytes(kept)


def loaded_part(data: bytes) -> bytes:
    """Return a shared object up to the end of its last segment, and without the table of its sections.

    The dynamic loader reads segments alone; symbols that it binds lie in one. What is no 64-bit little-endian ELF file
    is returned as it is.
    """
    if not data.startswith(_ELF_64_LITTLE_ENDIAN):
        return data
    *first, segments, _sections, flags, header_size, size, count, section_size, _, _ = _HEADER.unpack_from(data)
    end = segments + size * count
    for number in range(count):
        _, _, offset, _, _, bytes_in_file, _, _ = _PROGRAM_HEADER.unpack_from(data, segments + size * number)
        end = max(end, offset + bytes_in_file)
    header = _HEADER.pack(*first, segments, 0, flags, header_size, size, count, section_size, 0, 0)
    return header + data[_HEADER.size : end]
