import datetime as dt
from collections.abc import Iterable

import pytest

from shared.bundle.assembly import Assembly, assemble, bundle_name, entries_of
from shared.bundle.plan import Plan
from shared.errors import StoreUnavailableError
from shared.index.bundles import BundleFrame
from shared.store.model import ObjectState
from tests.bundle.layouts import MOMENT


def frame(number: int, etag: str = "first", filename: str | None = None) -> BundleFrame:
    """Return a frame whose observation began so many minutes after `MOMENT`."""
    begun = MOMENT + dt.timedelta(minutes=number)
    return BundleFrame(number, filename or f"{number}.fits", "frames", f"k{number}", etag, None, 10, 7, begun, MOMENT)


def assembled(rounds: list[list[BundleFrame]], there: set[tuple[str, str]], asked: tuple[int, int] | None) -> Assembly:
    def missing(states: Iterable[ObjectState]) -> list[ObjectState]:
        return [state for state in states if (state.key, state.etag) not in there]

    first, *others = rounds
    return assemble(first, lambda: others.pop(0), lambda plan: asked, missing, folder="f")


def ids(assembly: Assembly) -> list[str]:
    return [entry.name for entry in assembly.plan.entries]


def test_what_is_there_is_planned_once() -> None:
    found = assembled([[frame(1), frame(2)]], {("k1", "first"), ("k2", "first")}, (5, 9))
    assert (ids(found), found.left_out, found.window) == (["f/1.fits", "f/2.fits"], (), (5, 9))


def test_a_frame_that_is_not_there_is_left_out_and_all_is_sent() -> None:
    rows = [frame(1), frame(2)]
    found = assembled([rows, rows], {("k2", "first")}, (5, 9))
    assert (ids(found), found.left_out, found.asked) == (["f/2.fits"], (1,), None)
    assert found.window == (0, found.plan.length)


def test_a_frame_that_has_a_new_row_is_in_again() -> None:
    found = assembled([[frame(1)], [frame(1, "second")]], {("k1", "second")}, None)
    assert (ids(found), found.left_out) == (["f/1.fits"], ())
    assert found.plan.entries[0].content == ObjectState(
        bucket="frames", key="k1", etag="second", size=10, last_modified=MOMENT
    )


def test_frames_that_keep_changing_are_a_passing_fault() -> None:
    with pytest.raises(StoreUnavailableError):
        assembled([[frame(1, str(number))] for number in range(20)], set(), None)


def test_only_what_is_asked_for_is_looked_at() -> None:
    rows = [frame(1), frame(2)]
    length = Plan(entries_of(rows, "f")).length
    looked_at: list[str] = []

    def missing(states: Iterable[ObjectState]) -> list[ObjectState]:
        looked_at.extend(state.key for state in states)
        return []

    assemble(rows, list, lambda plan: (length // 4 + 10, length), missing, folder="f")
    assert looked_at == ["k2"]


def test_entries_have_names_of_their_own_and_the_time_of_the_observation() -> None:
    undated = BundleFrame(3, "a.fits", "frames", "k3", "e", "v", 10, 7, None, MOMENT)
    entries = list(entries_of([frame(1, filename="a.fits"), undated], bundle_name(dt.date(2026, 1, 2))))
    assert [entry.name for entry in entries] == ["pyobsdata-20260102/a.fits", "pyobsdata-20260102/a-2.fits"]
    assert [entry.modified for entry in entries] == [MOMENT + dt.timedelta(minutes=1), MOMENT]
    assert entries[1].content == ObjectState(
        bucket="frames", key="k3", etag="e", size=10, last_modified=MOMENT, version_id="v"
    )
