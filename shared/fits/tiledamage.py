"""Whether the table of a tile-compressed image holds what its header says."""

import math
import re
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from shared.fits.model import CardValue, Hdu

__all__ = ["tile_damage"]

_ROW_CHUNK_BYTES = 1 << 20
_MOST_ROW_BYTES = 1 << 20
_WIDTHS = {"L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "A": 1, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
_FORM = re.compile(r"(\d{0,18})([LXBIJKAEDCMPQ])(?:([LXBIJKAEDCM]))?")
_TILE_COLUMNS = frozenset({"COMPRESSED_DATA", "GZIP_COMPRESSED_DATA", "UNCOMPRESSED_DATA"})


def tile_damage(stream: BinaryIO, hdu: Hdu) -> str | None:
    """Say what is wrong with the tiles' table, if anything: too few rows, or tiles outside the heap.

    The rows are read in chunks; the compressed bytes themselves are not looked at.
    """
    first = _first(hdu)
    row_bytes, rows = _int(first.get("NAXIS1")), _int(first.get("NAXIS2"))
    if row_bytes is None or rows is None:
        return "the table of a compressed image needs two axes"
    if row_bytes > _MOST_ROW_BYTES:
        return f"a row of its table has {row_bytes:,} bytes, more than any tile's entry"
    if (problem := _count_problem(hdu, first, rows)) is not None:
        return problem
    columns = _columns(first)
    if columns is None or sum(width for _, _, width in columns) > row_bytes:
        return "the columns of its table do not fit into NAXIS1"
    heap = _int(first.get("THEAP"))
    heap_at = heap if heap is not None else row_bytes * rows
    heap_bytes = hdu.data_bytes - heap_at
    if heap_at < row_bytes * rows or heap_bytes < 0:
        return f"its heap begins at byte {heap_at:,}, outside the {hdu.data_bytes:,} bytes of data"
    return _outside_heap(stream, hdu, columns, row_bytes, rows, heap_bytes)


def _count_problem(hdu: Hdu, first: dict[str, CardValue], rows: int) -> str | None:
    sides = [_int(first.get(f"ZTILE{n}", length if n == 1 else 1)) for n, length in enumerate(hdu.axes, 1)]
    if 0 not in hdu.axes and any(side is None or side < 1 for side in sides):
        return "ZTILEn is not a positive integer"
    along: list[int] = [-(-length // (side or 1)) for length, side in zip(hdu.axes, sides, strict=True)]
    tiles = math.prod(along)
    if hdu.axes and tiles != rows:
        many = f"{tiles:,}" if tiles < 10**18 else "more than 1e18"
        return f"its axes and tiles make {many} tiles, its table has {rows:,} rows"
    return None


def _columns(first: dict[str, CardValue]) -> list[tuple[str, str, int]] | None:
    """Return name, form and width in bytes of each column."""
    count = _int(first.get("TFIELDS"))
    if count is None or not 0 <= count <= 999:
        return None
    columns = []
    for n in range(1, count + 1):
        form = first.get(f"TFORM{n}")
        match = _FORM.match(form.strip().upper()) if isinstance(form, str) else None
        if match is None:
            return None
        repeat = int(match[1] or 1)
        width = -(-repeat // 8) if match[2] == "X" else repeat * _WIDTHS[match[2]]
        columns.append((str(first.get(f"TTYPE{n}") or "").strip().upper(), match[0], width))
    return columns


def _outside_heap(
    stream: BinaryIO, hdu: Hdu, columns: list[tuple[str, str, int]], row_bytes: int, rows: int, heap_bytes: int
) -> str | None:
    places = []
    at = 0
    for name, form, width in columns:
        match = _FORM.match(form)
        if name in _TILE_COLUMNS and match is not None and match[2] in "PQ" and width:
            places.append((at, match[2], _WIDTHS.get(match[3] or "B", 1)))
        at += width
    step = max(1, _ROW_CHUNK_BYTES // max(1, row_bytes))
    if not places:
        return "its table has no column of compressed tiles"
    stream.seek(hdu.data_offset)
    for start in range(0, rows, step):
        count = min(step, rows - start)
        raw = np.frombuffer(stream.read(count * row_bytes), dtype=np.uint8).reshape(count, row_bytes)
        for offset, kind, item in places:
            bad = _beyond(raw, offset, kind, item, heap_bytes)
            if bad is not None:
                return f"tile {start + bad + 1:,} lies outside the {heap_bytes:,} bytes of its heap"
    return None


def _beyond(raw: npt.NDArray[np.uint8], offset: int, kind: str, item: int, heap_bytes: int) -> int | None:
    dtype, width = (">i4", 4) if kind == "P" else (">i8", 8)
    field = np.ascontiguousarray(raw[:, offset : offset + 2 * width]).view(dtype).astype(np.float64)
    length, start = field[:, 0] * item, field[:, 1]
    bad = (length < 0) | ((length > 0) & ((start < 0) | (start + length > heap_bytes)))
    hits = np.flatnonzero(bad)
    return int(hits[0]) if hits.size else None


def _first(hdu: Hdu) -> dict[str, CardValue]:
    return {card.keyword: card.value for card in reversed(hdu.cards)}


def _int(value: CardValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
