"""Links between frames: by basename, however written, and whichever of two frames comes first."""

import pytest

from shared.database import read
from shared.index.query import get_frame, related_frames
from shared.simulator import simulate_frame
from tests.ingest.conftest import Room


def related(room: Room, key: str) -> list[str]:
    """Return the keys of the frames that a frame names."""
    frame = room.frame(key)
    assert frame is not None
    with read(room.sessions) as session:
        rows = related_frames(session, frame.id)
        row = get_frame(session, frame.id)
        assert row is not None
        assert tuple(found.frame.id for found in rows) == row.related
        return [found.frame.key for found in rows]


def settle(room: Room, key: str, **keywords: str) -> None:
    room.put(key, simulate_frame(cards=keywords).data)
    assert room.settle(key) == "indexed"


KEYWORDS = ("L1BIAS", "L1DARK", "L1FLAT", "L1RAW", "L1AVG001", "L1IDBIAS", "L1IDDARK")


@pytest.mark.parametrize("stored", ["cal/bias-1.fits", "cal/bias-1.fits.fz"])
def test_every_spelling_leads_to_the_frame(room: Room, stored: str) -> None:
    keys = []
    for keyword in KEYWORDS:
        for written in ("bias-1", "bias-1.fits", "bias-1.fits.fz", "bias-1.FITS"):
            keys.append(f"sci/{keyword}-{written}-e91.fits")
            settle(room, keys[-1], **{keyword: written})
    assert [related(room, key) for key in keys] == [[]] * len(keys)
    settle(room, stored)
    assert [related(room, key) for key in keys] == [[stored]] * len(keys)


def test_links_follow_what_comes_and_goes(room: Room) -> None:
    settle(room, "cal/flat.fits")
    settle(room, "sci/e91.fits", L1FLAT="flat", L1RAW="e00.fits", L1BIAS="N/A")
    assert related(room, "sci/e91.fits") == ["cal/flat.fits"]
    settle(room, "raw/e00.fits.fz")
    assert related(room, "sci/e91.fits") == ["cal/flat.fits", "raw/e00.fits.fz"]
    room.delete("cal/flat.fits")
    room.settle("cal/flat.fits")
    assert related(room, "sci/e91.fits") == ["raw/e00.fits.fz"]
    settle(room, "sci/e91.fits", L1FLAT="another")
    assert related(room, "sci/e91.fits") == []
