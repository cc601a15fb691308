"""A sweep that finds most of the frames gone removes none of them until it is told to."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import Any

import pytest

from localstack.index_metrics import IndexCollector
from shared.cli.examinations.database import examine_work
from shared.cli.examinations.finding import Verdict
from shared.database import read, write
from shared.index.bulk import put_frames
from shared.index.missing import Missing, withheld
from shared.index.quantiles import count_frames
from shared.ingest import ranges
from shared.ingest.brake import is_too_much
from shared.ingest.reconcile import Scope, Swept
from shared.simulator import simulate_frame
from tests.index.factory import make_record
from tests.ingest.conftest import Room
from tests.ingest.test_reconcile import differences, reconciler

SMALL = simulate_frame(shape=(16, 16)).data


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a sweep take more than six frames for many: what it does is the same, and sooner done."""
    monkeypatch.setattr("shared.ingest.brake._FEW", 6)


def lose(room: Room, number_of: int, *, folder: str = "night") -> None:
    """Have the index know frames whose objects are nowhere."""
    keys = (f"{folder}/{number:04}.fits" for number in range(number_of))
    with write(room.sessions) as session:
        put_frames(session, (make_record(bucket=room.settings.bucket, key=key) for key in keys))


def _is_over(asked: Iterator[int], allowed: int) -> bool:
    return next(asked) > allowed


def frames(room: Room, prefix: str = "") -> int:
    with read(room.sessions) as session:
        return count_frames(session, room.settings.bucket, prefix=prefix)


def kept(room: Room, prefix: str = "") -> Missing | None:
    with read(room.sessions) as session:
        return withheld(session, room.settings.bucket, prefix)


def sweep(room: Room, prefix: str = "", **options: Any) -> Swept:
    swept = reconciler(room, range_size=5).sweep(prefix, **options)
    assert swept.is_complete
    return swept


@pytest.mark.parametrize(
    ("missing", "known", "expected"),
    [(100, 100, False), (101, 101, True), (101, 202, False), (102, 203, True), (5000, 10**7, False)],
)
def test_more_than_half_and_more_than_a_hundred(missing: int, known: int, expected: bool) -> None:
    assert is_too_much(Missing(missing, known)) is expected


@pytest.mark.usefixtures("few")
def test_an_empty_bucket_costs_no_frame_until_it_is_told_to(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    lose(room, 13)
    with caplog.at_level(logging.ERROR, logger="fitsvault.reconcile"):
        for scope in (Scope.ALL, Scope.OBJECTS, Scope.ALL):
            assert differences(sweep(room, scope=scope).counts) == {"withheld": 13}
            assert (frames(room), kept(room)) == (13, Missing(13, 13))
    told = next(record for record in caplog.records if record.getMessage() == "frames withheld")
    assert (vars(told)["missing"], vars(told)["known"]) == (13, 13)
    assert "--remove-missing" in vars(told)["reason"]
    assert differences(sweep(room, scope=Scope.REMOVAL, workers=3).counts) == {"phantom": 13}
    assert (frames(room), kept(room)) == (0, None)


@pytest.mark.usefixtures("few")
def test_who_watches_is_told(room: Room) -> None:
    lose(room, 9)
    sweep(room, scope=Scope.OBJECTS)
    (found,) = [found for found in examine_work(room.settings, room.sessions) if found.verdict is Verdict.WRONG]
    assert found.words.startswith("9 of 9 frames have no object in the bucket any more, and were not removed")
    figures = {family.name: family.samples for family in IndexCollector(room.sessions, room.settings.bucket).collect()}
    assert [sample.value for sample in figures["fitsvault_withheld_frames"]] == [9]


def test_a_hundred_and_one_are_many(room: Room) -> None:
    lose(room, 101)
    assert differences(sweep(room, scope=Scope.OBJECTS).counts) == {"withheld": 101}


@pytest.mark.usefixtures("few")
def test_few_frames_and_less_than_half_go_at_once(room: Room) -> None:
    lose(room, 6)
    assert differences(sweep(room).counts) == {"phantom": 6}
    for number in range(7):
        room.put(f"here/{number}.fits", SMALL)
        room.settle(f"here/{number}.fits")
    lose(room, 7)
    assert differences(sweep(room).counts) == {"phantom": 7}
    assert frames(room) == 7


@pytest.mark.usefixtures("few")
def test_objects_that_are_back_are_all_it_needs(room: Room) -> None:
    lose(room, 12)
    sweep(room)
    for number in range(8):
        room.put(f"night/{number:04}.fits", SMALL)
    assert differences(sweep(room, scope=Scope.OBJECTS).counts) == {"stale": 8, "phantom": 4}
    assert (frames(room), kept(room)) == (8, None)


@pytest.mark.usefixtures("few")
def test_frames_of_the_wrong_bucket_make_none_of_the_others_less_missing(room: Room) -> None:
    lose(room, 7)
    sweep(room)
    for number in range(9):
        room.put(f"foreign/{number:04}.fits", SMALL)
    for _ in range(2):
        assert sweep(room, scope=Scope.OBJECTS).counts["withheld"] == 7
    assert (frames(room), frames(room, "night/"), kept(room)) == (16, 7, Missing(7, 7))


@pytest.mark.usefixtures("few")
def test_what_is_below_a_prefix_counts_alone(room: Room) -> None:
    lose(room, 7)
    lose(room, 20, folder="other")
    assert differences(sweep(room, "night/").counts) == {"withheld": 7}
    assert (kept(room, "night/"), kept(room)) == (Missing(7, 7), None)
    assert differences(sweep(room, "night/", scope=Scope.REMOVAL).counts) == {"phantom": 7}
    assert frames(room) == 20


@pytest.mark.usefixtures("few")
def test_a_sweep_that_is_stopped_anywhere_counts_each_once(room: Room) -> None:
    lose(room, 23)
    since = reconciler(room).now()
    for allowed in count(2):
        sweeping = reconciler(room, range_size=5)
        stop = partial(_is_over, count(), allowed)
        if sweeping.sweep(since=since, scope=Scope.OBJECTS, stop=stop, waits=False).is_complete:
            break
    assert allowed > 4, "it was stopped several times"
    assert (frames(room), kept(room)) == (23, Missing(23, 23))


@pytest.mark.usefixtures("few")
def test_workers_and_processes_decide_alike(room_on_each: Room) -> None:
    lose(room_on_each, 24)
    since = reconciler(room_on_each).now()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: sweep(room_on_each, since=since, workers=2), range(3)))
    assert (frames(room_on_each), kept(room_on_each)) == (24, Missing(24, 24))


def test_a_store_that_becomes_empty_after_the_count_costs_no_more_than_was_counted(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"here/{number:04}.fits" for number in range(9)]
    for key in keys:
        room.put(key, SMALL)
        room.settle(key)
    lose(room, 2, folder="here/gone")

    def late(missing: Missing) -> bool:
        for key in keys:
            room.delete(key)
        return is_too_much(missing)

    monkeypatch.setattr(ranges, "is_too_much", late)
    assert differences(reconciler(room).sweep().counts) == {"phantom": 2}
    assert frames(room) == 9
