"""What a walk over a file checks with numpy: checksums, and the tables of compressed images."""

from typing import BinaryIO

from shared.fits.checksum import checksum_state, datasum_state, sum_stream
from shared.fits.headers import BLOCK, Header
from shared.fits.model import ChecksumState
from shared.fits.tiledamage import tile_damage

__all__ = ["checksum_states", "tile_damage"]


def checksum_states(
    stream: BinaryIO, header: Header, offset: int, data_bytes: int
) -> tuple[ChecksumState, ChecksumState]:
    """Return what CHECKSUM and DATASUM of the HDU at byte ``offset`` say; its data are read only if one is there."""
    checksum, datasum = header.first("CHECKSUM"), header.first("DATASUM")
    if checksum is None and datasum is None:
        return ChecksumState.ABSENT, ChecksumState.ABSENT
    data_sum = sum_stream(stream, offset + header.length, -(-data_bytes // BLOCK) * BLOCK)
    header_sum = sum_stream(stream, offset, header.length)
    whole = header_sum + data_sum
    whole = (whole & 0xFFFFFFFF) + (whole >> 32)
    return (
        checksum_state(checksum.value if checksum else None, whole),
        datasum_state(datasum.value if datasum else None, data_sum),
    )
