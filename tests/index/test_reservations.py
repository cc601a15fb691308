"""Ids and links of an earlier archive: whoever indexes the object, however often it goes and comes back."""

import threading

import pytest
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.index.frames import find_object, put_frame, remove_frame
from shared.index.query import get_frame, related_ids
from shared.index.record import LinkRecord
from shared.index.reservations import ReservedFrame, continue_ids_above, find_conflicts, reserve, reserved_id
from tests.index.factory import make_record

Sessions = sessionmaker[Session]


def put(factory: Sessions, key: str, **overrides: object) -> int:
    with write(factory) as session:
        return put_frame(session, make_record(key=key, **overrides))


def keep(factory: Sessions, *frames: ReservedFrame, above: int = 0) -> None:
    with write(factory) as session:
        continue_ids_above(session, max(above, *(frame.frame_id for frame in frames)))
        assert find_conflicts(session, "frames", frames) == {}
        reserve(session, "frames", frames)


def related(factory: Sessions, frame_id: int) -> tuple[int, ...]:
    with read(factory) as session:
        return related_ids(session, [frame_id])[frame_id]


def later_id(factory: Sessions, name: str) -> int:
    return put(factory, f"{name}.fits")


def test_a_frame_gets_the_reserved_id_again_and_again(factory: Sessions) -> None:
    base = later_id(factory, "before") + 1000
    keep(factory, ReservedFrame(base, "a.fits", None))
    assert put(factory, "a.fits") == base
    assert put(factory, "a.fits", etag="new") == base
    assert put(factory, "other.fits") > base
    with write(factory) as session:
        assert remove_frame(session, "frames", "a.fits")
    assert put(factory, "a.fits") == base
    assert put(factory, "a.fits", bucket="elsewhere") > base


def test_new_frames_get_ids_above(factory: Sessions) -> None:
    base = later_id(factory, "before") + 1000
    with write(factory) as session:
        continue_ids_above(session, base)
    first = put(factory, "a.fits")
    assert first > base
    with write(factory) as session:
        continue_ids_above(session, 1)
    assert put(factory, "b.fits") > first


def test_a_frame_that_was_indexed_first_gets_the_reserved_id(factory: Sessions) -> None:
    first = put(factory, "a.fits", links=(LinkRecord("L1RAW", "b"), LinkRecord("L1BIAS", "c")))
    ids = [put(factory, f"{name}.fits") for name in "bc"]
    keep(factory, ReservedFrame(first + 1000, "a.fits", None))
    with read(factory) as session:
        assert get_frame(session, first) is None
        row = get_frame(session, first + 1000)
    assert row is not None
    assert (row.frame.key, row.related) == ("a.fits", tuple(ids))
    assert put(factory, "a.fits") == first + 1000


def test_links_belong_to_the_same_bytes_only(factory: Sessions) -> None:
    base = later_id(factory, "before") + 1000
    raw, dark = put(factory, "raw.fits"), put(factory, "dark.fits")
    keep(factory, ReservedFrame(base, "a.fits", "aa", ("raw", "raw", "", "late")), above=base + 1)
    header = (LinkRecord("L1DARK", "dark"),)
    assert related(factory, put(factory, "a.fits", sha256="aa", links=header)) == (raw, dark)
    late = put(factory, "late.fits")
    assert related(factory, base) == (raw, dark, late)
    assert related(factory, put(factory, "a.fits", sha256="bb", links=header)) == (dark,)
    assert related(factory, put(factory, "a.fits", sha256="aa")) == (raw, late)
    with write(factory) as session:
        remove_frame(session, "frames", "a.fits")
    assert related(factory, put(factory, "a.fits", sha256="aa")) == (raw, late)


def test_links_without_a_file_belong_to_whatever_comes(factory: Sessions) -> None:
    raw = put(factory, "raw.fits")
    keep(factory, ReservedFrame(raw + 1000, "a.fits", None, ("raw",)))
    assert related(factory, put(factory, "a.fits")) == (raw,)


def test_reserving_again_replaces(factory: Sessions) -> None:
    raw, dark = put(factory, "raw.fits"), put(factory, "dark.fits")
    frame_id = dark + 1000
    keep(factory, ReservedFrame(frame_id, "a.fits", "aa", ("raw",)))
    put(factory, "a.fits", sha256="aa")
    keep(factory, ReservedFrame(frame_id, "a.fits", "aa", ("dark",)))
    assert related(factory, frame_id) == (dark,)
    assert related(factory, put(factory, "a.fits", sha256="aa")) == (dark,)
    assert raw not in related(factory, frame_id)


def test_conflicts_are_told(factory: Sessions) -> None:
    mine = put(factory, "mine.fits")
    keep(factory, ReservedFrame(mine + 1000, "kept.fits", None))
    wanted = [
        ReservedFrame(mine, "a.fits", None),
        ReservedFrame(mine + 1000, "b.fits", None),
        ReservedFrame(mine + 2000, "kept.fits", None),
        ReservedFrame(mine + 2001, "twice.fits", None),
        ReservedFrame(mine + 2002, "twice.fits", None),
        ReservedFrame(mine + 2003, "fine.fits", None),
    ]
    with read(factory) as session:
        assert find_conflicts(session, "frames", wanted) == {
            mine: "its id belongs to frames/mine.fits here",
            mine + 1000: "its id belongs to frames/kept.fits here",
            mine + 2000: f"frame {mine + 1000} has the same file",
            mine + 2002: f"frame {mine + 2001} has the same file",
        }


def test_an_id_that_another_frame_has_keeps_no_frame_out(factory: Sessions) -> None:
    taken = put(factory, "taken.fits")
    with write(factory) as session:
        reserve(session, "frames", [ReservedFrame(taken, "a.fits", None, ("taken",))])
        assert reserved_id(session, "frames", "a.fits") is None
    assert put(factory, "a.fits") > taken
    with read(factory) as session:
        assert find_object(session, "frames", "taken.fits") is not None


@pytest.mark.parametrize("workers", [8])
def test_new_frames_may_come_while_ids_are_reserved(factory: Sessions, workers: int) -> None:
    base = later_id(factory, "before") + 1000
    made: list[int] = []

    def work(number: int) -> None:
        made.extend(put(factory, f"{number}/{turn}.fits") for turn in range(10))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    with write(factory) as session:
        continue_ids_above(session, base)
    keep(factory, *(ReservedFrame(base - n, f"r/{n}.fits", None) for n in range(50)))
    for thread in threads:
        thread.join(60)
    assert len(set(made)) == workers * 10
    assert [put(factory, f"r/{n}.fits") for n in range(50)] == [base - n for n in range(50)]
