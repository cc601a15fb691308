"""Catalogues as CSV, against what astropy reads, and from tables that lie."""

import csv
import io
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.fits import catalog as module
from shared.fits.catalog import Catalog, render_catalog
from shared.fits.container import unpacked
from shared.fits.describe import describe
from shared.simulator import simulate_frame
from tests.fits.builders import card, header, image, padded, write


def rendered(path: Path) -> Catalog:
    with unpacked(path, work_dir=None, limit=1 << 30) as (plain, container):
        return render_catalog(plain, describe(plain, container=container))


def of_columns(folder: Path, *columns: fits.Column, name: str = "CAT", **more: Any) -> Catalog:
    table = fits.BinTableHDU.from_columns(list(columns), name=name, **more)
    path = folder / "table.fits"
    fits.HDUList([fits.PrimaryHDU(np.zeros((2, 2), np.int16)), table]).writeto(path, overwrite=True)
    return rendered(path)


def rows_of(catalog: Catalog) -> list[list[str]]:
    assert catalog.csv is not None
    return list(csv.reader(io.StringIO(catalog.csv.decode(), newline="")))


@pytest.mark.parametrize("name", [None, "a.fits.fz"])
def test_the_catalogue_of_a_reduced_frame(tmp_path: Path, name: str | None) -> None:
    path = tmp_path / "frame"
    path.write_bytes(simulate_frame(catalog=True, name=name).data)
    catalog = rendered(path)
    with fits.open(path) as file:
        table = file["CAT"].data
        head, *rows = rows_of(catalog)
        assert head == list(table.names)
        assert len(rows) == len(table) == catalog.rows
        for row, expected in zip(rows, table, strict=True):
            assert [float(value) for value in row] == pytest.approx([float(value) for value in expected], rel=1e-6)
    assert catalog.notes == ()


def test_a_frame_without_one(tmp_path: Path) -> None:
    path = tmp_path / "frame"
    path.write_bytes(simulate_frame().data)
    assert rendered(path) == Catalog()


def test_every_kind_of_column(tmp_path: Path) -> None:
    values = np.array([1, 2], np.int16)
    columns = (
        fits.Column("flag", "L", array=np.array([True, False])),
        fits.Column("bits", "3X", array=np.array([[True, False, True], [False, False, True]])),
        fits.Column("byte", "B", array=np.array([0, 255], np.uint8)),
        fits.Column("short", "I", array=values, null=2),
        fits.Column("unsigned", "J", bzero=2**31, array=np.array([0, 2**32 - 1], np.uint32)),
        fits.Column("huge", "K", bzero=2**63, array=np.array([0, 2**64 - 1], np.uint64)),
        fits.Column("single", "E", array=np.array([1.1, np.nan], np.float32)),
        fits.Column("double", "D", array=np.array([0.1, -np.inf])),
        fits.Column("complex", "C", array=np.array([1 + 2j, -1j], np.complex64)),
        fits.Column("text", "9A", array=np.array(["a,b", 'say "x"'])),
        fits.Column("vector", "2E", array=np.array([[1, 2.5], [3, 4]], np.float32)),
        fits.Column("list", "PJ()", array=np.array([np.array([1, 2, 3]), np.array([], int)], dtype=object)),
        fits.Column("long list", "QD()", array=np.array([np.array([0.5]), np.array([1.0, 2.0])], dtype=object)),
        fits.Column("after", "I", array=values),
    )
    catalog = of_columns(tmp_path, *columns)
    lower = ["False", "001", "255", "", "4294967295", "18446744073709551615", "nan", "-inf", "(-0-1j)"]
    assert catalog.notes == ()
    assert rows_of(catalog) == [
        [column.name for column in columns],
        ["True", "101", "0", "1", "0", "0", "1.1", "0.1", "(1+2j)", "a,b", "1.0 2.5", "1 2 3", "0.5", "1"],
        [*lower, 'say "x"', "3.0 4.0", "", "1.0 2.0", "2"],
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.floats(width=64),
            st.integers(-(2**31), 2**31 - 1),
            st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=8),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_values_come_back(tmp_path: Path, table: list[tuple[float, int, str]]) -> None:
    texts = [text.rstrip() for *_, text in table]
    catalog = of_columns(
        tmp_path,
        fits.Column("d", "D", array=np.array([row[0] for row in table])),
        fits.Column("j", "J", array=np.array([row[1] for row in table])),
        fits.Column("a", "8A", array=np.array([text.encode() for text in texts])),
    )
    head, *rows = rows_of(catalog)
    assert head == ["d", "j", "a"]
    assert [row[2] for row in rows] == texts
    assert [int(row[1]) for row in rows] == [row[1] for row in table]
    for row, (number, *_) in zip(rows, table, strict=True):
        assert float(row[0]) == number or math.isnan(number)


def test_a_long_table_is_cut_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    column = fits.Column("number", "J", array=np.arange(1000))
    monkeypatch.setattr(module, "MAX_ROWS", 10)
    cut = of_columns(tmp_path, column)
    assert (cut.rows, len(rows_of(cut)), cut.notes) == (
        10,
        11,
        ("HDU 1 (CAT): the catalogue has the first 10 of 1,000 rows",),
    )
    monkeypatch.setattr(module, "MAX_ROWS", 10**6)
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    cut = of_columns(tmp_path, column)
    assert cut.csv is not None
    assert len(cut.csv) <= 100
    assert cut.csv.endswith(b"\n")
    assert rows_of(cut)[-1] == [str((cut.rows or 0) - 1)]
    assert "of 1,000 rows" in cut.notes[0]


def raw_table(*texts: str, width: int = 8, rows: int = 2, heap: bytes = b"", data: bytes | None = None) -> bytes:
    shape = [card("BITPIX", 8), card("NAXIS", 2), card("NAXIS1", width), card("NAXIS2", rows)]
    more = [card("PCOUNT", len(heap)), card("GCOUNT", 1), card("EXTNAME", "CAT")]
    body = (bytes(width * rows) if data is None else data) + heap
    return header(card("XTENSION", "BINTABLE"), *shape, *more, *texts) + padded(body)


def test_scaled_columns_are_physical(tmp_path: Path) -> None:
    scaled = (card("TFIELDS", 1), card("TFORM1", "I"), card("TSCAL1", 0.5), card("TZERO1", 10))
    catalog = rendered(write(tmp_path, image(), raw_table(*scaled, width=2, data=struct.pack(">hh", 0, 3))))
    assert rows_of(catalog) == [["col1"], ["10.0"], ["11.5"]]


def test_text_cannot_break_a_line(tmp_path: Path) -> None:
    table = raw_table(card("TFIELDS", 1), card("TFORM1", "8A"), data=b"a\r\nb\x7f\xfc\0x=1+1    ")
    assert rows_of(rendered(write(tmp_path, image(), table))) == [["col1"], ["a\ufffd\ufffdb\ufffd\ufffd"], ["=1+1"]]


@pytest.mark.parametrize(
    "texts",
    [
        (card("TFIELDS", 1),),
        (card("TFIELDS", 1), card("TFORM1", "Z")),
        (card("TFIELDS", 2), card("TFORM1", "J")),
        (card("TFIELDS", 1), card("TFORM1", "3J")),
        (card("TFIELDS", 1), card("TFORM1", "999999999999D")),
        (card("TFIELDS", -1),),
        (card("TFIELDS", 1), card("TFORM1", "1PJ"), card("THEAP", -5)),
        (card("TFIELDS", 1), card("TFORM1", "1PP")),
        (card("TFIELDS", 1), card("TFORM1", "1P")),
    ],
)
def test_a_table_that_lies_leaves_a_note(tmp_path: Path, texts: tuple[str, ...]) -> None:
    catalog = rendered(write(tmp_path, image(), raw_table(*texts)))
    assert catalog.csv is None
    assert catalog.rows is None
    assert catalog.notes[0].startswith("HDU 1 (CAT): no catalogue: ")


@pytest.mark.parametrize("descriptor", [(2**31 - 1, 0), (-1, 0), (1, 2**31 - 1), (1, -100), (3, 0), (1001, 0)])
def test_a_cell_outside_the_heap_leaves_a_note(tmp_path: Path, descriptor: tuple[int, int]) -> None:
    table = raw_table(
        card("TFIELDS", 1), card("TFORM1", "1PJ(9)"), rows=1, heap=bytes(8), data=struct.pack(">ii", *descriptor)
    )
    assert "outside the table" in rendered(write(tmp_path, image(), table)).notes[0]


def test_empty_and_unnamed_columns(tmp_path: Path) -> None:
    table = raw_table(card("TFIELDS", 3), card("TFORM1", "0A"), card("TFORM2", "1J"), card("TFORM3", "0PJ"), width=4)
    catalog = rendered(write(tmp_path, image(), table))
    assert rows_of(catalog) == [["col1", "col2", "col3"], ["", "0", ""], ["", "0", ""]]
    none = raw_table(card("TFIELDS", 1), card("TFORM1", "1J"), width=4, rows=0)
    assert rows_of(rendered(write(tmp_path, image(), none))) == [["col1"]]


def test_an_ascii_table_is_told_of(tmp_path: Path) -> None:
    table = fits.TableHDU.from_columns([fits.Column("a", "I5", array=np.array([1]), ascii=True)], name="CAT")
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(np.zeros((2, 2), np.int16)), table]).writeto(path)
    assert rendered(path) == Catalog(notes=("HDU 1 (CAT) is no binary table: no catalogue",))


FORMS = st.lists(st.from_regex(r"[0-9]{0,3}[LXBIJKAEDCMPQ][BJEDA]?(\([0-9]{0,3}\))?", fullmatch=True), max_size=5)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FORMS, st.integers(0, 40), st.integers(0, 4), st.binary(max_size=200), st.binary(max_size=60))
def test_any_table_is_read_or_told_of(
    tmp_path: Path, forms: list[str], width: int, rows: int, data: bytes, heap: bytes
) -> None:
    texts = [card("TFIELDS", len(forms)), *(card(f"TFORM{n}", form) for n, form in enumerate(forms, 1))]
    body = data[: width * rows].ljust(width * rows, b"\xff")
    catalog = rendered(write(tmp_path, image(), raw_table(*texts, width=width, rows=rows, heap=heap, data=body)))
    assert (catalog.csv is None) == (catalog.rows is None)
    assert catalog.csv is not None or catalog.notes
