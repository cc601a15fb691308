import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bundle.parts import MAX_PARTS, MIN_PART, ZipPart, copies, passed_bytes, segments, zip_parts
from shared.bundle.plan import Piece, Plan
from tests.bundle.layouts import made, stored

MIB, GIB, TIB = 1 << 20, 1 << 30, 1 << 40

sizes = st.one_of(
    st.integers(0, 40 * MIB),
    st.integers(0, 3 * TIB),
    *(st.integers(edge - 200, edge + 200) for edge in (MIN_PART, 2 * MIN_PART, 10 * MIB, 512 * MIB)),
)


def plan_of(lengths: list[int]) -> Plan:
    return Plan([made("README.txt", b"x" * 500), *(stored(f"{n}.fits", size) for n, size in enumerate(lengths))])


@settings(max_examples=300)
@given(st.lists(sizes, max_size=40))
def test_the_parts_are_the_zip_and_the_store_takes_them(lengths: list[int]) -> None:
    plan = plan_of(lengths)
    parts = list(zip_parts(plan.contents()))
    assert parts[0].start == 0
    assert parts[-1].stop == plan.length
    assert all(one.stop == next_.start for one, next_ in itertools.pairwise(parts))
    assert all(part.size >= MIN_PART for part in parts[:-1])
    assert all(0 < part.size <= (512 * MIB if part.copied else 10 * MIB) for part in parts)
    for part in parts:
        if part.copied is not None:
            assert list(plan.contents(part.start, part.stop)) == [part.copied]


@settings(max_examples=200)
@given(st.lists(st.integers(2 * MIN_PART, 2 * TIB), min_size=1, max_size=40))
def test_less_than_5_mib_of_each_large_frame_pass(lengths: list[int]) -> None:
    plan = plan_of(lengths)
    assert passed_bytes(zip_parts(plan.contents())) <= MIN_PART * len(lengths) + MIN_PART


def test_only_every_other_frame_of_8_mb_passes() -> None:
    parts = list(zip_parts(plan_of([8_000_000] * 20).contents()))
    assert passed_bytes(parts) < 11 * 8_000_000


def test_small_frames_pass_together() -> None:
    parts = list(zip_parts(plan_of([2_000_000] * 200).contents()))
    assert all(part.copied is None for part in parts)
    assert len(parts) < 80


def test_any_number_of_large_frames_fits_into_two_levels() -> None:
    parts = list(zip_parts(plan_of([20_000_000] * 30_000).contents()))
    assert len(parts) > MAX_PARTS
    runs = segments(parts)
    assert [part for run in runs for part in run] == parts
    assert max(map(len, runs)) == MAX_PARTS
    assert len(runs) == 7


@pytest.mark.parametrize("size", [MIN_PART, 512 * MIB, 512 * MIB + 1, 5 * GIB + 1, 5 * TIB])
def test_large_copies_are_cut_evenly(size: int) -> None:
    piece = next(content for content in Plan([stored("a", size)]).contents() if isinstance(content, Piece))
    parts = list(copies(piece, 77))
    assert (parts[0].start, parts[-1].stop) == (77, 77 + size)
    lengths = [part.size for part in parts]
    assert max(lengths) - min(lengths) <= 1
    assert sum(lengths) == size


def test_an_empty_zip_is_one_part() -> None:
    assert list(zip_parts(Plan([]).contents())) == [ZipPart(0, 22)]
