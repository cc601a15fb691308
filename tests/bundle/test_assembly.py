import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Iterable

import pytest

from shared.bundle.assembly import Assembly, assemble, named_frames, plan_bundle
from shared.bundle.inside import LeftOut, Wish
from shared.errors import StoreUnavailableError
from shared.index.bundles import BundleFrame
from shared.store.model import ObjectState
from tests.bundle.layouts import MOMENT

WISH = Wish("ada", dt.date(2026, 1, 2), ("night=2026-01-01", "FILTER=V"))
F = "pyobsdata-20260102"


def frame(number: int, etag: str = "first", filename: str | None = None) -> BundleFrame:
    """Return a frame whose observation began so many minutes after `MOMENT`."""
    begun = MOMENT + dt.timedelta(minutes=number)
    return BundleFrame(number, filename or f"{number}.fits", "frames", f"k{number}", etag, None, 10, 7, begun, MOMENT)


def assembled(rounds: list[list[BundleFrame]], there: set[tuple[str, str]], asked: tuple[int, int] | None) -> Assembly:
    def missing(states: Iterable[ObjectState]) -> list[ObjectState]:
        return [state for state in states if (state.key, state.etag) not in there]

    first, *others = rounds
    return assemble(first, lambda: others.pop(0), lambda _plan, changed: None if changed else asked, missing, wish=WISH)


def ids(assembly: Assembly) -> list[str]:
    return [entry.name for entry in assembly.plan.entries[2:]]


def text(assembly: Assembly, number: int) -> str:
    content = assembly.plan.entries[number].content
    assert isinstance(content, bytes)
    return content.decode()


def test_what_is_there_is_planned_once() -> None:
    found = assembled([[frame(1), frame(2)]], {("k1", "first"), ("k2", "first")}, (5, 9))
    assert (ids(found), found.left_out, found.window) == ([f"{F}/1.fits", f"{F}/2.fits"], (), (5, 9))


def test_a_frame_that_is_not_there_is_left_out_and_all_is_sent() -> None:
    rows = [frame(1), frame(2)]
    found = assembled([rows, rows], {("k2", "first")}, (5, 9999))
    assert (ids(found), tuple(one.id for one in found.left_out), found.asked) == ([f"{F}/2.fits"], (1,), None)
    assert found.window == (0, found.plan.length)


def test_a_frame_that_has_a_new_row_is_in_again() -> None:
    found = assembled([[frame(1)], [frame(1, "second")]], {("k1", "second")}, None)
    assert (ids(found), found.left_out) == ([f"{F}/1.fits"], ())
    assert found.plan.entries[2].content == ObjectState(
        bucket="frames", key="k1", etag="second", size=10, last_modified=MOMENT
    )


def test_frames_that_keep_changing_are_a_passing_fault() -> None:
    with pytest.raises(StoreUnavailableError):
        assembled([[frame(1, str(number))] for number in range(20)], set(), None)


def test_only_what_is_asked_for_is_looked_at() -> None:
    rows = [frame(1), frame(2)]
    length = plan_bundle(rows, WISH).length
    looked_at: list[str] = []

    def missing(states: Iterable[ObjectState]) -> list[ObjectState]:
        looked_at.extend(state.key for state in states)
        return []

    assemble(rows, list, lambda _plan, _changed: (length - 250, length), missing, wish=WISH)
    assert looked_at == []
    assemble(rows, list, lambda _plan, _changed: (0, length), missing, wish=WISH)
    assert looked_at == ["k1", "k2"]


def test_entries_have_names_of_their_own_and_the_time_of_the_observation() -> None:
    undated = BundleFrame(3, "a.fits", "frames", "k3", "e", "v", 10, 7, None, MOMENT)
    entries = plan_bundle([frame(1, filename="a.fits"), undated], WISH).entries
    assert [entry.name for entry in entries] == [
        f"{F}/README.txt",
        f"{F}/MANIFEST.csv",
        f"{F}/a.fits",
        f"{F}/a-2.fits",
    ]
    assert [entry.modified for entry in entries[2:]] == [MOMENT + dt.timedelta(minutes=1), MOMENT]
    assert entries[3].content == ObjectState(
        bucket="frames", key="k3", etag="e", size=10, last_modified=MOMENT, version_id="v"
    )


def test_frames_do_not_stand_in_for_what_lies_beside_them() -> None:
    frames = [frame(1, filename="readme.TXT"), frame(2, filename="MANIFEST.csv"), frame(3, filename="MANIFEST-2.csv")]
    assert [name for name, _ in named_frames(frames)] == ["readme.TXT-2", "MANIFEST.csv-2", "MANIFEST-2.csv"]


def test_nothing_is_an_empty_zip() -> None:
    assert plan_bundle([], WISH).length == 22


def test_what_is_left_out_is_told_with_its_reason() -> None:
    rows = [frame(1), frame(2), frame(3)]
    known = [LeftOut(9, "9.fits", "no frame has this id")]
    missing = [{ObjectState(bucket="frames", key="k2", etag="first", size=10, last_modified=MOMENT)}, set()]
    found = assemble(rows, lambda: rows[1:], lambda *_: None, lambda _states: missing.pop(0), wish=WISH, left_out=known)
    assert [(one.id, one.reason.split()[-1]) for one in found.left_out] == [(9, "id"), (1, "meanwhile"), (2, "says")]
    assert ids(found) == [f"{F}/3.fits"]
    lines = text(found, 0).splitlines()
    assert "Left out:   3" in lines
    assert "            9 9.fits: no frame has this id" in lines
    assert any(line.strip().startswith("2 2.fits: its object") for line in lines)


def test_the_readme_tells_who_asked_for_what_and_when() -> None:
    odd = Wish("ada\x1b[31m", WISH.day, ("OBJECT=a\r\nb\ud800",))
    plan = plan_bundle([frame(1)], odd)
    data = plan.entries[0].content
    assert isinstance(data, bytes)
    assert b"Asked for:  OBJECT=a  b" in data
    assert b"By:         ada [31m\n" in data
    assert b"On:         2026-01-02 (UTC)" in data
    assert b"\r" not in data
    assert b"\x1b" not in data


def test_the_manifest_tells_of_every_file() -> None:
    light = dataclasses.replace(
        frame(1), object_name='M 31, "And"', filter_name="V", exposure_time=30.5, image_type="object", sha256="ab" * 32
    )
    bias = dataclasses.replace(frame(2), object_name="hidden", filter_name="V", image_type="bias", date_obs=None)
    data = plan_bundle([light, bias], WISH).entries[1].content
    assert isinstance(data, bytes)
    first, second = csv.DictReader(io.StringIO(data.decode()))
    assert first == {
        "file": "1.fits",
        "id": "1",
        "bytes": "10",
        "sha256": "ab" * 32,
        "crc32": "00000007",
        "DATE_OBS": "2026-11-21T20:16:30Z",
        "OBJECT": 'M 31, "And"',
        "FILTER": "V",
        "EXPTIME": "30.5",
        "OBSTYPE": "object",
        "SITEID": "",
        "TELID": "",
        "INSTRUME": "",
        "RLEVEL": "0",
    }
    assert (second["OBJECT"], second["FILTER"], second["DATE_OBS"]) == ("", "", "")


def test_who_asks_the_same_on_the_same_day_gets_the_same_bytes() -> None:
    plans = [plan_bundle([frame(1)], dataclasses.replace(WISH)) for _ in range(2)]
    assert plans[0].identity() == plans[1].identity()
    others = [dataclasses.replace(WISH, day=dt.date(2026, 1, 3)), dataclasses.replace(WISH, asked=())]
    assert len({plan_bundle([frame(1)], wish).identity() for wish in [WISH, *others]}) == 3
