"""Reconcile finds what no event told."""

import datetime as dt
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from shared.database import write
from shared.index.failures import ask_retry
from shared.ingest.reconcile import Reconciler, compare
from shared.simulator import simulate_frame
from shared.store.model import ObjectState
from tests.ingest.conftest import Room

_names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)
_listing = st.dictionaries(_names, st.tuples(st.sampled_from(["e1", "e2"]), st.integers(0, 1)), max_size=12)


@dataclass(frozen=True)
class Known:
    key: str
    etag: str | None
    size: int | None


def _ordered(listing: dict[str, tuple[str, int]]) -> list[tuple[str, tuple[str, int]]]:
    return sorted(listing.items(), key=lambda item: item[0].encode())


@given(_listing, _listing)
def test_a_merge_finds_what_sets_would(stored: dict[str, tuple[str, int]], known: dict[str, tuple[str, int]]) -> None:
    moment = dt.datetime(2026, 11, 21)
    objects = [
        ObjectState(bucket="b", key=key, etag=etag, size=size, last_modified=moment)
        for key, (etag, size) in _ordered(stored)
    ]
    found = [(d.key, d.kind.value) for d in compare(objects, [Known(key, *rest) for key, rest in _ordered(known)])]
    expected = (
        {(key, "unindexed") for key in stored.keys() - known.keys()}
        | {(key, "phantom") for key in known.keys() - stored.keys()}
        | {(key, "stale") for key in stored.keys() & known.keys() if stored[key] != known[key]}
    )
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert [key for key, _ in found] == sorted((key for key, _ in found), key=str.encode)


def _reconciler(room: Room) -> Reconciler:
    return Reconciler(room.settings.bucket, room.store, room.sessions, room.ingester)


def test_it_settles_whatever_was_missed(room: Room) -> None:
    frame = simulate_frame().data
    for key in ("gone.fits", "stale.fits", "was-broken.fits", "same.fits", "same-broken.fits"):
        room.put(key, b"junk" if "broken" in key else frame)
        room.settle(key)
    room.delete("gone.fits")
    room.put("stale.fits", simulate_frame(OBJECT="M 67").data)
    room.put("was-broken.fits", frame)
    room.put("new/frame.fits", frame)
    room.put("new/junk.fits", b"junk")
    reconciler = _reconciler(room)
    assert reconciler.mend() == {"unindexed": 2, "phantom": 1, "stale": 2, "unsettled": 0}
    assert room.frame("gone.fits") is None
    assert room.failure("was-broken.fits") is None
    assert room.failure("new/junk.fits") is not None
    stale = room.frame("stale.fits")
    assert stale is not None
    assert stale.object_name == "M 67"
    assert sum(reconciler.mend().values()) == 0


def test_a_listing_in_another_order_is_no_discrepancy(room: Room) -> None:
    for key in ("site/1.fits", "site-north/1.fits", "site.fits"):
        room.put(key, b"junk")
        room.settle(key)
    assert sum(_reconciler(room).mend().values()) == 0


def test_a_prefix_limits_it(room: Room) -> None:
    for key in ("a/1.fits", "b/1.fits", "b0.fits"):
        room.put(key, b"junk")
    assert _reconciler(room).mend("b/")["unindexed"] == 1
    assert [room.failure(key) is None for key in ("a/1.fits", "b/1.fits", "b0.fits")] == [True, False, True]


def test_it_stops_when_told(room: Room) -> None:
    room.put("a.fits", b"junk")
    assert _reconciler(room).mend(stop=lambda: True)["unindexed"] == 0


def test_what_somebody_asked_for_is_tried_again(room: Room) -> None:
    for key in ("a.fits", "b.fits", "c.fits"):
        room.put(key, b"junk")
        room.settle(key)
    for key in ("a.fits", "b.fits"):
        failure = room.failure(key)
        assert failure is not None
        with write(room.sessions) as session:
            assert ask_retry(session, failure.id) is not None
    room.delete("b.fits")
    reconciler = _reconciler(room)
    assert reconciler.retry()
    tried, untried = room.failure("a.fits"), room.failure("c.fits")
    assert tried is not None
    assert untried is not None
    assert (tried.attempts, tried.retry_at, untried.attempts) == (2, None, 1)
    assert room.failure("b.fits") is None
    with write(room.sessions) as session:
        ask_retry(session, tried.id)
    assert reconciler.mend()["stale"] == 1
    assert sum(reconciler.mend().values()) == 0
