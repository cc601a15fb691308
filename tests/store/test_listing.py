"""Listings in byte order, whatever the order of the store."""

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.store.client import Store
from shared.store.listing import ListPage, Page, in_byte_order, ranges_behind
from shared.store.model import ObjectState
from tests.archive import RunningArchive

MOMENT = dt.datetime(2026, 11, 21)
_names = st.text(st.sampled_from("a-/b0é"), min_size=1, max_size=6)


def state(key: str) -> ObjectState:
    return ObjectState(bucket="b", key=key, etag="e", size=1, last_modified=MOMENT)


def by_bytes(keys: Sequence[str], size: int) -> ListPage:
    ordered = sorted(keys, key=str.encode)

    def list_page(prefix: str, after: str) -> Page:
        found = [state(key) for key in ordered if key.startswith(prefix) and key.encode() > after.encode()]
        return Page(found[:size], len(found) > size)

    return list_page


def by_folder(keys: Sequence[str], size: int) -> ListPage:
    """List as SeaweedFS does: folder by folder; behind a name comes what follows the folder of that name."""
    ordered = sorted(keys, key=lambda key: key.split("/"))

    def list_page(prefix: str, after: str) -> Page:
        assert not after or after.startswith(prefix), "SeaweedFS answers nothing to such a question"
        found = [
            state(key)
            for key in ordered
            if key.startswith(prefix)
            and (not after or (key.split("/") > after.split("/") and not key.startswith(after + "/")))
        ]
        return Page(found[:size], len(found) > size)

    return list_page


def tree(keys: set[str]) -> list[str]:
    """Leave out what a file system cannot hold: empty names, and a file with the name of a folder."""
    named = {key for key in keys if all(key.split("/"))}
    return [key for key in named if not any(other.startswith(key + "/") for other in named)]


@pytest.mark.parametrize("order", [by_bytes, by_folder])
@given(st.sets(_names, max_size=25), st.sampled_from(["", "a", "a/", "a-", "a/b"]), st.text("a-/b0é", max_size=4))
@example({"a/1", "a/2", "a/3", "a-/1", "a-/2", "a-/3", "a-a", "a0"}, "", "a-/1")
@example({"a/1", "a/2", "a-/1", "a-b/1", "a--/1"}, "", "a-b/0")
def test_order_and_bounds(
    order: Callable[[Sequence[str], int], ListPage], keys: set[str], prefix: str, after: str
) -> None:
    stored = tree(keys) if order is by_folder else sorted(keys)
    expected = sorted((key for key in stored if key.startswith(prefix) and key > after), key=str.encode)
    for size in (1, 2, 3, 50):
        assert [found.key for found in in_byte_order(order(stored, size), prefix, after)] == expected


@given(st.sets(_names, max_size=25), st.sampled_from(["", "a", "a/", "a-", "a/b"]), st.text("a-/b0é", max_size=6))
@example({"a/1", "a0", "a-/1"}, "", "a/0")
def test_ranges_behind_a_key(keys: set[str], prefix: str, after: str) -> None:
    ordered = sorted(keys, key=str.encode)
    found: list[str] = []
    for folder, begin, is_included in ranges_behind(prefix, after):
        assert "/" not in begin[folder.rfind("/") + 1 :], "MinIO may answer too little"
        assert not begin or begin.startswith(folder)
        found += [key for key in ordered if is_included and key == begin]
        found += [key for key in ordered if key.startswith(folder) and key > begin]
    assert found == [key for key in ordered if key.startswith(prefix) and key > after]


@pytest.mark.parametrize("folder_size", [1, 30, 5000])
def test_requests_follow_objects_not_folders(folder_size: int) -> None:
    keys = [f"site{s}/2026-{n // folder_size:06}/{n:06}.fits" for s in range(2) for n in range(10_000)]
    ordered = sorted(keys, key=lambda key: key.split("/"))
    place = {key: number for number, key in enumerate(ordered)}
    requests = 0

    def list_page(prefix: str, after: str) -> Page:
        nonlocal requests
        requests += 1
        start = place.get(after, -2) + 1
        if start < 0:
            parts = after.split("/")
            start = next((n for n, key in enumerate(ordered) if key.split("/") > parts), len(ordered)) if after else 0
        found = list(itertools.islice((key for key in ordered[start:] if key.startswith(prefix)), 101))
        return Page([state(key) for key in found[:100]], len(found) > 100)

    assert sum(1 for _ in in_byte_order(list_page)) == len(keys)
    assert requests <= 3 * len(keys) / 100


def test_a_real_store(archive: RunningArchive) -> None:
    """The embedded store, with folders that lie otherwise than bytes do, in small pages."""
    store, bucket = archive.store, f"order-{uuid.uuid4().hex[:8]}"
    chosen = random.Random(4)
    names = ("site", "site-north", "site north", "site.old", "2026-11-21", "2026", "ä", "ä-1", "0")
    wanted = {"/".join(chosen.choices(names, k=chosen.randint(1, 3))) + f"/{n}.fits" for n in range(60)}
    keys = sorted(wanted, key=str.encode)
    store.ensure_bucket(bucket)
    try:
        for key in keys:
            store.write_bytes(bucket, key, b"x", "application/fits")
        flat = [entry["Key"] for entry in store.s3.list_objects_v2(Bucket=bucket)["Contents"]]
        assert flat != keys, "the store lists in byte order by now: the detour can go"
        for page_size in (1, 3, 7, 1000):
            assert [found.key for found in Store(archive.settings, page_size=page_size).walk(bucket)] == keys
        for after in (*keys[::7], "site", "site/", "site-", "zzz", "2026-11"):
            walked = Store(archive.settings, page_size=5).walk(bucket, after=after)
            assert [found.key for found in walked] == [key for key in keys if key > after]
        inner = [key for key in keys if key.startswith("site-n")]
        assert [found.key for found in Store(archive.settings, page_size=2).walk(bucket, prefix="site-n")] == inner
        between = store.walk(bucket, after=keys[10], until=keys[40])
        assert [found.key for found in between] == keys[11:41]
    finally:
        store.delete(bucket, tuple(keys))
        store.s3.delete_bucket(Bucket=bucket)


def test_the_stores_clock(archive: RunningArchive) -> None:
    store = archive.store
    store.write_bytes(archive.derived, "probe/clock", b"x", "text/plain")
    written = store.head(archive.derived, "probe/clock").last_modified
    store.delete(archive.derived, ("probe/clock",))
    assert written.replace(microsecond=0) <= store.now(archive.derived)
    assert store.now(archive.derived) - written < dt.timedelta(minutes=1)
