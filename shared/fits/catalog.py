"""The catalogue of a frame: its table CAT as CSV, read a few rows at a time, bounded in rows and bytes.

Missing values (TNULL, an empty logical) are empty fields, NaN is ``nan``. The elements of a vector stand in one field
with blanks between them. Text ends at its first NUL and loses blanks at its end;
what is no printable ASCII, which FITS does not allow there, becomes U+FFFD.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadDataError
from shared.fits.columns import NUMBERS, WIDTHS, Column, row_count, row_layout
from shared.fits.model import CardValue, FitsDescription, Hdu
from shared.fits.pixels import card_value, hdu_label

__all__ = ["MAX_BYTES", "MAX_ROWS", "Catalog", "render_catalog"]

MAX_ROWS = 500_000
MAX_BYTES = 32 << 20
"""Length of the CSV at most; a longer table is cut, with a note."""

_MAX_WIDTH = 1 << 20
_BLOCK = 1 << 18
_MAX_ELEMENTS = 1000
_HEAP_CELLS = 64
_NAME = "CAT"
_CONTROLS = dict.fromkeys((*range(1, 32), 127), "\ufffd")
_COMPLEX = {"C": ">c8", "M": ">c16"}

Cells = Callable[[NDArray[np.uint8]], list[str]]


@dataclass(frozen=True, slots=True)
class Catalog:
    """A catalogue as CSV with its header line, and how many rows it has; None and None if there is none."""

    csv: bytes | None = None
    rows: int | None = None
    notes: tuple[str, ...] = ()


def render_catalog(path: Path, description: FitsDescription) -> Catalog:
    """Return the catalogue of a plain FITS file: none without a table CAT, or with a note why it cannot be read."""
    named = [hdu for hdu in description.hdus if hdu.name.upper() == _NAME]
    hdu = next((hdu for hdu in named if hdu.kind == "table"), None)
    if hdu is None:
        notes = (f"{hdu_label(hdu)} is no binary table: no catalogue" for hdu in named if "table" in hdu.kind)
        return Catalog(notes=tuple(notes))
    try:
        return _render(path, hdu)
    except (BadDataError, ValueError, OverflowError) as error:
        return Catalog(notes=(f"{hdu_label(hdu)}: no catalogue: {error}"[:300],))


def _render(path: Path, hdu: Hdu) -> Catalog:
    columns, rows, width = row_layout(hdu.cards), row_count(hdu), card_value(hdu.cards, "NAXIS1")
    if card_value(hdu.cards, "TFIELDS") != len(columns) or not isinstance(width, int) or not 0 < width <= _MAX_WIDTH:
        raise BadDataError("its columns cannot be read")
    if any(column.offset + _width(column) > width for column in columns) or hdu.data_bytes < rows * width:
        raise BadDataError("its columns need more bytes than its rows have")
    buffer = io.BytesIO()
    text = io.TextIOWrapper(buffer, "utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    written = 0
    with path.open("rb") as file:
        cells = [_reader(hdu, number, column, file) for number, column in enumerate(columns, 1)]
        writer.writerow(_names(hdu, len(columns)))
        variable = sum(column.code in "PQ" for column in columns)
        at_once = max(1, min(_BLOCK // width, _HEAP_CELLS // variable if variable else _BLOCK))
        for block in _blocks(file, hdu.data_offset, min(rows, MAX_ROWS), width, at_once):
            fields = [
                read(block[:, column.offset : column.offset + _width(column)])
                for read, column in zip(cells, columns, strict=True)
            ]
            for row in zip(*fields, strict=True):
                before = buffer.tell()
                writer.writerow(row)
                if buffer.tell() > MAX_BYTES:
                    buffer.truncate(before)
                    return _finished(buffer, written, rows, hdu)
                written += 1
    return _finished(buffer, written, rows, hdu)


def _finished(buffer: io.BytesIO, written: int, rows: int, hdu: Hdu) -> Catalog:
    notes = (f"{hdu_label(hdu)}: the catalogue has the first {written:,} of {rows:,} rows",) if written < rows else ()
    return Catalog(buffer.getvalue(), written, notes)


def _blocks(file: BinaryIO, offset: int, rows: int, width: int, at_once: int) -> Iterator[NDArray[np.uint8]]:
    for first in range(0, rows, at_once):
        count = min(at_once, rows - first)
        file.seek(offset + first * width)
        data = file.read(count * width)
        if len(data) < count * width:
            raise BadDataError("the file ends before the table does")
        yield np.frombuffer(data, np.uint8).reshape(count, width)


def _names(hdu: Hdu, count: int) -> list[str]:
    return [
        str(card_value(hdu.cards, f"TTYPE{n}") or f"col{n}").strip().translate(_CONTROLS) for n in range(1, count + 1)
    ]


def _width(column: Column) -> int:
    return (column.repeat + 7) // 8 if column.code == "X" else column.repeat * WIDTHS[column.code]


def _reader(hdu: Hdu, number: int, column: Column, file: BinaryIO) -> Cells:
    """Return what turns a column's bytes, row by row, into the texts of its cells."""
    scaling = _Scaling.of_column(hdu, number)
    if column.code == "A":
        return lambda raw: [_text(row.tobytes()) for row in raw]
    if column.code == "X":
        return lambda raw: ["".join(map(str, np.unpackbits(row)[: column.repeat])) for row in raw]
    if column.code in "PQ":
        return lambda raw: [_heap_cell(file, hdu, column, row, scaling) for row in raw]
    return lambda raw: [_joined(row, column.code, scaling) for row in raw]


@dataclass(frozen=True, slots=True)
class _Scaling:
    scale: float
    zero: float | int
    null: int | None

    @classmethod
    def of_column(cls, hdu: Hdu, number: int) -> "_Scaling":
        scale, zero = (card_value(hdu.cards, f"{stem}{number}") for stem in ("TSCAL", "TZERO"))
        null = card_value(hdu.cards, f"TNULL{number}")
        return cls(float(_number(scale, 1.0)), _number(zero, 0), null if type(null) is int else None)

    def apply(self, stored: float | complex) -> str:
        """Return the text of a physical value; integers that are only shifted stay exact."""
        if isinstance(stored, int):
            if stored == self.null:
                return ""
            if self.scale == 1.0 and float(self.zero).is_integer():
                return str(stored + int(self.zero))
        return str(stored if (self.scale, self.zero) == (1.0, 0) else stored * self.scale + self.zero)


def _joined(raw: NDArray[np.uint8], code: str, scaling: _Scaling) -> str:
    if code == "L":
        return " ".join({0x54: "True", 0x46: "False"}.get(value, "") for value in raw.tolist())
    values: Any = raw.view(NUMBERS.get(code) or _COMPLEX[code])
    if code == "E" and (scaling.scale, scaling.zero) == (1.0, 0):
        return " ".join(str(value) for value in values.astype(np.float32))
    return " ".join(scaling.apply(value) for value in values.tolist())


def _heap_cell(file: BinaryIO, hdu: Hdu, column: Column, raw: NDArray[np.uint8], scaling: _Scaling) -> str:
    """Return a cell of variable length, which lies in the heap behind the table (FITS 4.0, section 7.3.5)."""
    if column.repeat == 0:
        return ""
    count, offset = raw.view(">i4" if column.code == "P" else ">i8")[:2].tolist()
    element = column.element
    if element not in WIDTHS or element in "PQ":
        raise BadDataError(f"a column of variable length holds {element or 'nothing'}")
    heap = card_value(hdu.cards, "THEAP")
    start = (heap if type(heap) is int else hdu.axes[0] * hdu.axes[1]) + offset
    if not 0 <= count <= _MAX_ELEMENTS or not 0 <= start <= hdu.data_bytes - count * WIDTHS[element]:
        raise BadDataError("a cell of variable length lies outside the table, or is too long")
    file.seek(hdu.data_offset + start)
    data = np.frombuffer(file.read(count * WIDTHS[element]), np.uint8)
    return _text(data.tobytes()) if element == "A" else _joined(data, element, scaling)


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("ascii", "replace").translate(_CONTROLS).rstrip()


def _number(value: CardValue, default: float) -> float | int:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 else default
