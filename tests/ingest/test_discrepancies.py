"""The merge of bucket and index, and what counts as a difference. Pure."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.index.failures import UNAVAILABLE, FailedObject
from shared.index.frames import IndexedObject
from shared.ingest.discrepancies import Entry, compare, entries_by_key, judge
from shared.store.model import ObjectState

NOW = dt.datetime(2026, 11, 21, 12)
EARLIER, LATER = NOW - dt.timedelta(hours=1), NOW + dt.timedelta(hours=1)
_names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)
_listing = st.dictionaries(_names, st.tuples(st.sampled_from(["e1", "e2"]), st.integers(0, 1)), max_size=12)


def stored(key: str, etag: str = "e", size: int = 1, moment: dt.datetime = EARLIER) -> ObjectState:
    return ObjectState(bucket="b", key=key, etag=etag, size=size, last_modified=moment)


def frame(key: str, etag: str = "e", size: int = 1, version: str | None = None) -> IndexedObject:
    return IndexedObject(1, key, etag, version, size, EARLIER, "digest")


def failed(
    key: str,
    etag: str | None = "e",
    size: int = 1,
    kind: str = "not-fits",
    retry_at: dt.datetime | None = None,
    attempts: int = 16,
) -> FailedObject:
    return FailedObject(1, key, etag, None, size, kind, attempts, NOW - dt.timedelta(minutes=30), retry_at)


def in_order(listing: dict[str, tuple[str, int]]) -> list[tuple[str, tuple[str, int]]]:
    return sorted(listing.items(), key=lambda item: item[0].encode())


@given(_listing, _listing, _listing)
def test_a_merge_finds_what_sets_would(
    objects: dict[str, tuple[str, int]], frames: dict[str, tuple[str, int]], failures: dict[str, tuple[str, int]]
) -> None:
    entries = entries_by_key(
        (frame(key, *rest) for key, rest in in_order(frames)), (failed(key, *rest) for key, rest in in_order(failures))
    )
    known = failures | frames
    compared = list(compare((stored(key, *rest) for key, rest in in_order(objects)), entries, NOW, 16))
    assert [key for key, _ in compared] == sorted(objects.keys() | known.keys(), key=str.encode)
    suspects = {key: suspect.listed is not None for key, suspect in compared if suspect is not None}
    assert suspects == {
        key: key in objects for key in objects.keys() | known.keys() if objects.get(key) != known.get(key)
    }


@pytest.mark.parametrize(
    ("object_", "entry", "kind"),
    [
        (None, None, None),
        (stored("k"), None, "unindexed"),
        (None, Entry("k", frame("k"), None), "phantom"),
        (None, Entry("k", None, failed("k", None, kind=UNAVAILABLE, retry_at=LATER)), "phantom"),
        (stored("k"), Entry("k", frame("k"), None), None),
        (stored("k"), Entry("k", frame("k", etag="f"), None), "stale"),
        (stored("k", size=2), Entry("k", frame("k"), None), "stale"),
        (stored("k"), Entry("k", None, failed("k")), None),
        (stored("k"), Entry("k", None, failed("k", "f")), "stale"),
        (stored("k"), Entry("k", None, failed("k", retry_at=EARLIER)), "stale"),
        (stored("k"), Entry("k", None, failed("k", retry_at=LATER)), None),
        (stored("k"), Entry("k", None, failed("k", None, kind=UNAVAILABLE, retry_at=LATER)), None),
        (stored("k"), Entry("k", None, failed("k", None, kind=UNAVAILABLE, retry_at=EARLIER)), "stale"),
        (stored("k"), Entry("k", None, failed("k", None, kind=UNAVAILABLE)), None),
        (stored("k"), Entry("k", None, failed("k", None, kind=UNAVAILABLE, attempts=5)), "stale"),
        (stored("k", moment=NOW), Entry("k", None, failed("k", None, kind=UNAVAILABLE)), "stale"),
        (stored("k"), Entry("k", frame("k"), failed("k", None, kind=UNAVAILABLE, retry_at=EARLIER)), "stale"),
        (stored("k", moment=NOW), Entry("k", frame("k"), None), None),
        (stored("k", moment=NOW), Entry("k", frame("k", version="null"), None), None),
        (stored("k"), Entry("k", frame("k", version="v1"), None), None),
        (stored("k", moment=NOW), Entry("k", frame("k", version="v1"), None), "stale"),
    ],
)
def test_what_counts_as_a_difference(object_: ObjectState | None, entry: Entry | None, kind: str | None) -> None:
    assert judge(object_, entry, NOW, 16) == kind
