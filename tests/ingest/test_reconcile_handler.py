"""The reconcile function: ends before its deadline, and goes on at the next call."""

import datetime as dt
from typing import Any

import pytest

from functions.reconcile.handler import handle
from shared.errors import EventError
from shared.ingest.reconcile import Reconciler
from shared.simulator import simulate_frame
from tests.ingest.conftest import Room

SMALL = simulate_frame(shape=(16, 16)).data


class Call:
    """A call with a time that goes by with each look at it: a clock without seconds."""

    def __init__(self, looks: int) -> None:
        self._left = looks

    def get_remaining_time_in_millis(self) -> int:
        self._left -= 1
        return self._left


def make(room: Room) -> Reconciler:
    settings = room.settings.model_copy(update={"trigger": "scan"})
    return Reconciler(settings, room.store, room.sessions, room.ingester, patience=0.0, range_size=2)


def test_calls_go_on_with_each_others_work(room: Room) -> None:
    for number in range(10):
        room.put(f"{number}.fits", SMALL)
        if number % 2 == 0:
            room.settle(f"{number}.fits")
    reconciler = make(room)
    answers: list[dict[str, Any]] = []
    while not answers or not answers[-1]["complete"]:
        answers.append(handle({}, Call(16), reconciler, dt.timedelta(hours=1)))
        assert len(answers) < 30
    assert not answers[0]["complete"]
    assert answers[-1]["counts"]["unindexed"] == 5
    assert all(room.frame(f"{number}.fits") for number in range(10))


def test_a_prefix_comes_with_the_event(room: Room) -> None:
    for key in ("a/1.fits", "b/1.fits"):
        room.put(key, SMALL)
    answer = handle({"prefix": "b/"}, Call(10_000), make(room))
    assert answer == {"counts": {"unindexed": 1, "compared": 2}, "complete": True}
    assert room.frame("a/1.fits") is None
    with pytest.raises(EventError):
        handle({"prefix": 1}, Call(10_000), make(room))
