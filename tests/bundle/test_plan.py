import datetime as dt
import io
import random
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bundle.plan import Entry, Piece, Plan
from shared.bundle.stream import pieces
from shared.store.model import ObjectState
from tests.bundle.layouts import MOMENT, PlannedFile, made, stored, whole
from tests.bundle.many_layouts import UNPACKERS, check_by_program, check_bytes, check_sizes, odd_plan, sized_plan
from tests.parts import need_program

GIB = 1 << 30
LIMIT32 = 0xFFFFFFFF

names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=12)
moments = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))
sizes = st.one_of(st.integers(0, 2**45), st.integers(LIMIT32 - 3, LIMIT32 + 3), st.integers(0, 3))


@st.composite
def small_plans(draw: st.DrawFn) -> tuple[Plan, dict[str, bytes]]:
    contents = draw(st.dictionaries(names.map("night/{}".format), st.binary(max_size=60), max_size=12))
    return Plan(made(name, data, draw(moments)) for name, data in contents.items()), contents


@settings(max_examples=250)
@given(small_plans())
def test_python_reads_what_is_planned(drawn: tuple[Plan, dict[str, bytes]]) -> None:
    plan, contents = drawn
    data = whole(plan.contents())
    assert len(data) == plan.length
    assert plan.crc32() == zlib.crc32(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents
        for info in archive.infolist():
            assert info.flag_bits == 1 << 11
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.external_attr >> 16 == 0o100644
            assert 1980 <= info.date_time[0] <= 2107


@settings(max_examples=250)
@given(small_plans(), st.data())
def test_any_range_is_that_slice(drawn: tuple[Plan, dict[str, bytes]], data: st.DataObject) -> None:
    plan, _ = drawn
    zipped = whole(plan.contents())
    start = data.draw(st.integers(0, plan.length))
    stop = data.draw(st.integers(start, plan.length + 5))
    assert whole(plan.contents(start, stop)) == zipped[start:stop]
    assert b"" not in list(plan.contents(start, stop))


@settings(max_examples=200)
@given(st.lists(sizes, max_size=12))
def test_large_files_by_plan_alone(lengths: list[int]) -> None:
    plan = Plan(stored(f"night/{n}.fits", length, crc32=n) for n, length in enumerate(lengths))
    assert sum(_length(content) for content in plan.contents()) == plan.length
    with zipfile.ZipFile(PlannedFile(plan)) as archive:
        assert [(i.filename, i.file_size, i.CRC) for i in archive.infolist()] == [
            (f"night/{n}.fits", length, n) for n, length in enumerate(lengths)
        ]
        for info in archive.infolist():
            archive.open(info).close()
    assert _by_local_headers(PlannedFile(plan)) == [(f"night/{n}.fits", n, length) for n, length in enumerate(lengths)]


@given(st.lists(sizes, max_size=6), st.data())
def test_pieces_make_up_every_range(lengths: list[int], data: st.DataObject) -> None:
    plan = Plan(stored(f"{n}", length) for n, length in enumerate(lengths))
    start = data.draw(st.integers(0, plan.length))
    stop = data.draw(st.integers(start, plan.length))
    wanted = list(plan.contents(start, stop))
    assert sum(_length(content) for content in wanted) == stop - start
    assert {content.state.key for content in wanted if isinstance(content, Piece)} <= {
        state.key for state in plan.states(start, stop)
    }
    small = [content for content in wanted if _length(content) < 1 << 20]
    assert whole(pieces(small, 1000)) == whole(small)
    assert all(_length(piece) <= 1000 for piece in pieces(small, 1000) if isinstance(piece, Piece))


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 65534, 65535, 65536, 70000])
def test_many_files_by_plan_alone(count: int) -> None:
    plan = Plan(stored(f"night/{n}.fits", 8 << 20, crc32=n) for n in range(count))
    with zipfile.ZipFile(PlannedFile(plan)) as archive:
        assert len(archive.infolist()) == count
        for info in archive.infolist()[:: max(count // 7, 1)]:
            archive.open(info).close()
    tail = whole(plan.contents(plan.length - 22))
    assert tail[:4] == b"PK\5\6"
    assert (b"PK\6\6" in whole(plan.contents(max(plan.length - 98, 0)))) == (count >= 511 or count >= 65535)


def test_the_same_entries_make_the_same_zip() -> None:
    entries = [stored("a", 5), made("b", b"x")]
    assert Plan(entries).identity() == Plan(list(entries)).identity()
    state = ObjectState(bucket="frames", key="a", etag="e", size=5, last_modified=MOMENT)
    others = [
        [stored("a2", 5), made("b", b"x")],
        [stored("a", 6), made("b", b"x")],
        [stored("a", 5, crc32=1), made("b", b"x")],
        [stored("a", 5, etag="f"), made("b", b"x")],
        [stored("a", 5), made("b", b"y")],
        [made("b", b"x"), stored("a", 5)],
        [stored("a", 5)],
        [Entry("a", 0, MOMENT + dt.timedelta(seconds=2), state), made("b", b"x")],
    ]
    assert len({Plan(entries).identity() for entries in [*others, entries]}) == len(others) + 1


@pytest.mark.parametrize("program", UNPACKERS)
def test_other_programs_accept_it(program: str, tmp_path: Path) -> None:
    arguments, how = UNPACKERS[program]
    command = need_program(program, how)
    contents = {
        f"night/{name}": name.encode() * 1000 for name in ("a.fits", "with blank.fits", "Größe-ζ.fits.fz", "空.fits")
    }
    for number, files in enumerate([contents, {}, {f"night/{n}": b"x" for n in range(66000)}]):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(whole(Plan(made(name, data) for name, data in files.items()).contents()))
        answer = subprocess.run([command, *arguments, str(path)], capture_output=True, text=True, check=False)
        empty_is_a_warning = program == "unzip" and not files
        assert answer.returncode == (1 if empty_is_a_warning else 0), answer.stdout[-500:] + answer.stderr[-500:]


@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_layouts(seed: int) -> None:
    """`make prove-bundles` tries more, and has other programs look at all of them."""
    chance = random.Random(seed)
    for _ in range(500):
        check_bytes(*odd_plan(chance, (0, 1, 2, 5, 20)), chance)
        check_sizes(sized_plan(chance, 2000), chance)


@pytest.mark.parametrize("program", UNPACKERS)
def test_other_programs_accept_any_layout(program: str, tmp_path: Path) -> None:
    chance = random.Random(20261121)
    paths = [tmp_path / f"{number}.zip" for number in range(300)]
    for path in paths:
        plan, _ = odd_plan(chance)
        path.write_bytes(whole(plan.contents()))
    check_by_program(program, paths)


def test_unzip_lists_terabytes(tmp_path: Path) -> None:
    command = need_program("unzip", "Debian: apt install unzip")
    plan = Plan(
        stored(f"night/{n}.fits", size) for n, size in enumerate([3, LIMIT32 - 1, LIMIT32, 5 * GIB, 1000 * GIB])
    )
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        for content in plan.contents():
            if isinstance(content, Piece):
                file.seek(content.stop - content.start, io.SEEK_CUR)
            else:
                file.write(content)
    assert path.stat().st_size == plan.length
    answer = subprocess.run([command, "-Z", "-h", "-t", str(path)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "5 files" in answer.stdout
    first = subprocess.run([command, "-p", str(path), "night/0.fits"], capture_output=True, check=False)
    assert first.stdout == bytes(3)


def _length(content: bytes | Piece) -> int:
    return len(content) if isinstance(content, bytes) else content.stop - content.start


def _by_local_headers(file: PlannedFile) -> list[tuple[str, int, int]]:
    """Read name, CRC-32 and size of each entry as a reader does that never sees the central directory."""
    found = []
    while (fixed := file.read(30))[:4] == b"PK\3\4":
        crc32, _, size, name_length, extra_length = struct.unpack("<3L2H", fixed[14:])
        name, extra = file.read(name_length).decode(), file.read(extra_length)
        if size == LIMIT32:
            tag, length, size, stored_size = struct.unpack("<2H2Q", extra)
            assert (tag, length, stored_size) == (1, 16, size)
        found.append((name, crc32, size))
        file.seek(size, io.SEEK_CUR)
    return found
