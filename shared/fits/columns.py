"""Numbers from the columns of a binary table or from the parameters of random groups, without reading it whole."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadDataError
from shared.fits.model import Card, Hdu
from shared.fits.pixels import DTYPES, card_value, hdu_label

__all__ = ["Column", "group_parameters", "read_columns", "row_count", "row_layout"]

ROWS = 20_000
"""Rows that are read of a longer table, evenly spread."""

MAX_COLUMNS = 999
MAX_REPEAT = 2**40
WIDTHS = {"L": 1, "B": 1, "A": 1, "I": 2, "J": 4, "E": 4, "K": 8, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
NUMBERS = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
TFORM = re.compile(r"\s*(\d{0,12})([LXBIJKAEDCMPQ])(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a table row: its name in upper case, the TFORM code, repeat count and first byte."""

    name: str
    code: str
    repeat: int
    offset: int
    element: str = ""

    @property
    def dtype(self) -> str | None:
        """The numpy type if the column holds one number a row, else None."""
        return NUMBERS.get(self.code) if self.repeat == 1 else None


def row_count(hdu: Hdu) -> int:
    """Return the number of rows of a table (NAXIS2) or of random groups (GCOUNT); 0 if it is no number."""
    value = card_value(hdu.cards, "GCOUNT" if hdu.kind == "random-groups" else "NAXIS2")
    return value if type(value) is int and value > 0 else 0


def row_layout(cards: Sequence[Card]) -> tuple[Column, ...]:
    """Lay out a binary table's row from TFORMn and TTYPEn (FITS 4.0, section 7.3); stop where a TFORM is unreadable."""
    values = {card.keyword: card.value for card in reversed(cards)}
    fields = values.get("TFIELDS")
    columns: list[Column] = []
    offset = 0
    for number in range(1, min(fields if type(fields) is int else 0, MAX_COLUMNS) + 1):
        match = TFORM.fullmatch(str(values.get(f"TFORM{number}", "")).upper())
        if match is None:
            break
        repeat, code = int(match[1] or 1), match[2]
        name = str(values.get(f"TTYPE{number}") or "").strip().upper()
        columns.append(Column(name, code, repeat, offset, match[3][:1]))
        offset += (repeat + 7) // 8 if code == "X" else repeat * WIDTHS[code]
        if offset > MAX_REPEAT:
            break
    return tuple(columns)


def group_parameters(hdu: Hdu) -> tuple[Column, ...]:
    """Lay out the parameters that precede each random group (FITS 4.0, section 6)."""
    count = card_value(hdu.cards, "PCOUNT")
    code = {8: "B", 16: "I", 32: "J", 64: "K", -32: "E", -64: "D"}.get(hdu.bitpix)
    if code is None or type(count) is not int:
        return ()
    size = abs(hdu.bitpix) // 8
    names = [str(card_value(hdu.cards, f"PTYPE{n}") or "").strip().upper() for n in range(1, min(count, 99) + 1)]
    return tuple(Column(name, code, 1, index * size) for index, name in enumerate(names))


def read_columns(path: Path, hdu: Hdu, columns: Sequence[Column]) -> tuple[NDArray[np.float64], ...]:
    """Read the stored numbers of scalar columns, in at most 20,000 rows spread evenly over the table.

    Raises
    ------
    BadDataError
        If a column lies outside its row, or the file ends before the table does.
    """
    rows, width = row_count(hdu), _row_width(hdu)
    needed = max(column.offset + np.dtype(column.dtype).itemsize for column in columns)
    if needed > width:
        raise BadDataError(f"{hdu_label(hdu)}: the columns need {needed:,} bytes a row, NAXIS1 is {width:,}")
    if path.stat().st_size < hdu.data_offset + rows * width:
        raise BadDataError(f"{hdu_label(hdu)}: the file ends before the table's {rows:,} rows do")
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, ROWS)).astype(np.int64))
    found = [np.empty(chosen.size) for _ in columns]
    with path.open("rb") as file:
        for place, row in enumerate(chosen.tolist()):
            for column, values in zip(columns, found, strict=True):
                file.seek(hdu.data_offset + row * width + column.offset)
                dtype = np.dtype(column.dtype)
                values[place] = np.frombuffer(file.read(dtype.itemsize), dtype)[0]
    return tuple(found)


def _row_width(hdu: Hdu) -> int:
    if hdu.kind == "random-groups":
        parameters = card_value(hdu.cards, "PCOUNT")
        elements = int(np.prod([axis for axis in hdu.axes if axis > 0], dtype=object))
        count = parameters if type(parameters) is int else 0
        return np.dtype(DTYPES[hdu.bitpix]).itemsize * (count + elements)
    width = card_value(hdu.cards, "NAXIS1")
    return width if type(width) is int else 0
