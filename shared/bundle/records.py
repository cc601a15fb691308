"""The records of a zip file (PKWARE APPNOTE 6.3.10), for stored entries whose size and CRC-32 are known beforehand.

No data descriptors: whoever reads the file from its beginning knows where an entry ends. Sizes and offsets that 32 bits
do not hold go into a ZIP64 extra field (section 4.5.3).
"""

import datetime as dt
import struct

__all__ = ["directory_record", "directory_record_size", "end_records", "local_header", "local_header_size"]

_LOCAL = struct.Struct("<4s5H3L2H")
_DIRECTORY = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")

_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_UTF8_NAME = 1 << 11
_STORED = 0
_VERSION, _VERSION64 = 20, 45
_MADE_ON_UNIX = 3 << 8
_REGULAR_FILE = 0o100644 << 16
_ZIP64_TAG = 0x0001
_FIRST_YEAR, _LAST_YEAR = 1980, 2107


def local_header(name: bytes, size: int, crc32: int, modified: dt.datetime) -> bytes:
    """Return what stands before an entry's bytes (section 4.3.7). ``name`` is UTF-8, ``size`` in bytes."""
    large = size >= _MAX32
    extra = struct.pack("<2H2Q", _ZIP64_TAG, 16, size, size) if large else b""
    shown = min(size, _MAX32)
    fixed = _LOCAL.pack(
        b"PK\3\4",
        _VERSION64 if large else _VERSION,
        _UTF8_NAME,
        _STORED,
        *_dos_time(modified),
        crc32,
        shown,
        shown,
        len(name),
        len(extra),
    )
    return fixed + name + extra


def local_header_size(name: bytes, size: int) -> int:
    """Return the length of `local_header`."""
    return _LOCAL.size + len(name) + (20 if size >= _MAX32 else 0)


def directory_record(name: bytes, size: int, crc32: int, modified: dt.datetime, offset: int) -> bytes:
    """Return an entry's record in the central directory (section 4.3.12); its local header begins at ``offset``."""
    extra = _directory_extra(size, offset)
    shown = min(size, _MAX32)
    version = _VERSION64 if extra else _VERSION
    fixed = _DIRECTORY.pack(
        b"PK\1\2",
        _MADE_ON_UNIX | _VERSION64,
        version,
        _UTF8_NAME,
        _STORED,
        *_dos_time(modified),
        crc32,
        shown,
        shown,
        len(name),
        len(extra),
        0,
        0,
        0,
        _REGULAR_FILE,
        min(offset, _MAX32),
    )
    return fixed + name + extra


def directory_record_size(name: bytes, size: int, offset: int) -> int:
    """Return the length of `directory_record`."""
    return _DIRECTORY.size + len(name) + len(_directory_extra(size, offset))


def end_records(count: int, size: int, offset: int) -> bytes:
    """Return what ends the file (sections 4.3.14 to 4.3.16): ``count`` records of ``size`` bytes from ``offset`` on."""
    end = b""
    if count >= _MAX16 or size >= _MAX32 or offset >= _MAX32:
        versions = (_MADE_ON_UNIX | _VERSION64, _VERSION64)
        end = _END64.pack(b"PK\6\6", _END64.size - 12, *versions, 0, 0, count, count, size, offset)
        end += _LOCATOR.pack(b"PK\6\7", 0, offset + size, 1)
    shown = min(count, _MAX16)
    return end + _END.pack(b"PK\5\6", 0, 0, shown, shown, min(size, _MAX32), min(offset, _MAX32), 0)


def _directory_extra(size: int, offset: int) -> bytes:
    fields = [size, size] if size >= _MAX32 else []
    if offset >= _MAX32:
        fields.append(offset)
    return struct.pack(f"<2H{len(fields)}Q", _ZIP64_TAG, 8 * len(fields), *fields) if fields else b""


def _dos_time(moment: dt.datetime) -> tuple[int, int]:
    """Return time and date as MS-DOS counts them: from 1980 to 2107, in steps of two seconds."""
    if moment.year < _FIRST_YEAR:
        moment = dt.datetime(_FIRST_YEAR, 1, 1)  # noqa: DTZ001 - naive UTC, as everywhere
    elif moment.year > _LAST_YEAR:
        moment = dt.datetime(_LAST_YEAR, 12, 31, 23, 59, 58)  # noqa: DTZ001
    time = moment.hour << 11 | moment.minute << 5 | min(moment.second, 59) // 2
    return time, (moment.year - _FIRST_YEAR) << 9 | moment.month << 5 | moment.day
