"""Derived objects against the index: the merge, and the checker with real parts."""

import datetime as dt
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from shared.index.holdings import DerivedOwner
from shared.ingest.check import Checker
from shared.ingest.derived import REQUIRED, Missing, Orphan, compare_derived, derived_folder, derived_sets
from shared.ingest.discrepancies import Discrepancy
from shared.ingest.finder import Finder
from shared.ingest.shards import Part, cut, digest_boundaries
from shared.simulator import simulate_frame
from shared.store.model import ObjectState
from shared.store.naming import HEADERS, derived_key
from tests.ingest.conftest import Room

MOMENT = dt.datetime(2026, 11, 21)
NAMES = sorted({*REQUIRED, "more.csv"})


def digest(number: int) -> str:
    name = hashlib.sha256(str(number).encode()).hexdigest()
    return f"{name}/{name[:16]}"


def listing(stored: dict[int, set[str]]) -> list[ObjectState]:
    keys = [derived_key(digest(number), name) for number, names in stored.items() for name in names]
    keys += ["frames/not-ours", "frames/aa/bb/short/x"]
    return [
        ObjectState(bucket="d", key=key, etag="e", size=1, last_modified=MOMENT) for key in sorted(keys, key=str.encode)
    ]


@given(st.dictionaries(st.integers(0, 9), st.sets(st.sampled_from(NAMES), min_size=1)), st.sets(st.integers(0, 9)))
def test_a_merge_finds_what_sets_would(stored: dict[int, set[str]], known: set[int]) -> None:
    owners = sorted((DerivedOwner(digest(number), "b", str(number)) for number in known), key=lambda o: o.digest)
    compared = list(compare_derived(derived_sets(listing(stored)), owners))
    assert [name for name, _ in compared] == sorted(digest(number) for number in stored.keys() | known)
    found = [difference for _, difference in compared]
    missing = {f.owner.digest: set(f.names) for f in found if isinstance(f, Missing)}
    orphans = {f.found.digest: set(f.found.names) for f in found if isinstance(f, Orphan)}
    lacking = {digest(n): REQUIRED - stored.get(n, set()) for n in known}
    assert missing == {name: names for name, names in lacking.items() if names}
    assert orphans == {digest(n): names for n, names in stored.items() if n not in known}


def checker_of(room: Room, **settings: float) -> Checker:
    changed = room.settings.model_copy(update=settings)
    return Checker(changed, room.store, room.sessions, room.ingester, patience=0.0)


def everything(checker: Checker) -> list[Discrepancy]:
    sums = [finding for finding in checker.checksums() if finding is not None]
    return [*checker.objects(), *checker.derived(), *sums]


def test_differences_are_found_and_repaired(room: Room) -> None:
    for number in range(4):
        room.put(f"{number}.fits", simulate_frame(OBJECT=str(number), shape=(16, 16)).data)
        room.settle(f"{number}.fits")
    checker = checker_of(room)
    assert everything(checker) == []
    room.put("new.fits", simulate_frame().data)
    room.delete("0.fits")
    lost = room.frame("1.fits")
    assert lost is not None
    room.store.delete(room.settings.derived_bucket, (derived_key(lost.digest, HEADERS),))
    alone = derived_key(digest(0), HEADERS)
    room.store.write_bytes(room.settings.derived_bucket, alone, b"{}", "application/json")
    found = {(f.kind.value, f.key, f.detail) for f in everything(checker)}
    assert found == {
        ("unindexed", "new.fits", ""),
        ("phantom", "0.fits", ""),
        ("derived-missing", "1.fits", "headers.json"),
    }
    checker = checker_of(room, orphan_seconds=0)
    findings = everything(checker)
    assert ("derived-orphan", alone.rsplit("/", 1)[0] + "/") in {(f.kind.value, f.key) for f in findings}
    assert not any(f.kind == "derived-orphan" for f in checker.derived("1"))
    for finding in findings:
        assert checker.repair(finding)
    assert everything(checker) == []
    assert alone not in room.derived()


def test_ranges_find_each_orphan_once(room: Room) -> None:
    """Those in the first folder of a range, too, and from wherever a range is gone on with."""
    names = [f"{first:02x}{number:02x}".ljust(64, "0") for first in range(0, 256, 16) for number in (0, 255)]
    digests = sorted(f"{name}/{name[:16]}" for name in names)
    for one in digests:
        room.store.write_bytes(room.settings.derived_bucket, derived_key(one, HEADERS), b"{}", "application/json")
    settings = room.settings.model_copy(update={"orphan_seconds": 0})
    finder = Finder(settings, room.store, room.sessions, patience=0.0)
    ranges = cut(Part.DERIVED, digest_boundaries(16))
    found = [[d.key for batch in finder.derived(after=r.after, until=r.until) for d in batch.found] for r in ranges]
    assert [len(keys) for keys in found] == [2] * 16
    assert [key for keys in found for key in keys] == [derived_folder(one) for one in digests]
    rest = [d.key for batch in finder.derived(after=digests[9]) for d in batch.found]
    assert rest == [derived_folder(one) for one in digests[10:]]


def test_bytes_that_changed_unnoticed_are_for_a_person(room: Room) -> None:
    room.put("x.fits", simulate_frame(shape=(16, 16)).data)
    room.settle("x.fits")
    row = room.frame("x.fits")
    assert row is not None
    with room.sessions.begin() as session:
        found = session.get(type(row), row.id)
        assert found is not None
        found.sha256 = "0" * 64
    checker = checker_of(room)
    (finding,) = everything(checker)
    assert (finding.kind, finding.key, "0" * 64 in finding.detail) == ("checksum", "x.fits", True)
    assert not checker.repair(finding)
