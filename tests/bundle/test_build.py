"""Bundles built in the bucket of the embedded store; the other stores are in tests/stores."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator

import pytest

from shared.bundle.build import BundleBuilder, StoppedError, Uploads
from shared.bundle.parts import passed_bytes, zip_parts
from shared.bundle.plan import Plan
from shared.errors import ObjectChangedError, ObjectGoneError, StoreError
from shared.store.client import Store
from shared.store.multipart import parts_there
from tests.archive import RunningArchive
from tests.bundle.layouts import stored
from tests.bundle.stock import MIXED, stocked, virtual

BUCKET = "buildframes"
FOLDER = "bundles/of-this-test/"
KEY = f"{FOLDER}built.zip"

pytestmark = pytest.mark.archive


@pytest.fixture(scope="module")
def store(archive: RunningArchive) -> Store:
    return archive.store


@pytest.fixture(scope="module")
def plan(store: Store) -> Plan:
    return stocked(store, BUCKET, "mixed", MIXED)


@pytest.fixture(scope="module")
def expected(store: Store, plan: Plan) -> str:
    return hashlib.sha256(virtual(store, plan)).hexdigest()


@pytest.fixture
def derived(archive: RunningArchive) -> Iterator[str]:
    yield archive.derived
    keys = tuple(found.key for found in archive.store.walk(archive.derived, prefix=FOLDER))
    archive.store.delete(archive.derived, keys)


def digest(store: Store, bucket: str, key: str = KEY) -> str:
    state = store.head(bucket, key)
    return hashlib.sha256(b"".join(store.stream(state))).hexdigest()


def left(store: Store, bucket: str) -> list[str]:
    return [found.key for found in store.walk(bucket, prefix=FOLDER)]


def after(looks: int) -> Callable[[], bool]:
    """Return what tells that it is time to end after so many looks."""
    left = iter([False] * looks)
    return lambda: next(left, True)


@pytest.mark.parametrize("max_parts", [10_000, 3])
def test_it_is_the_virtual_zip_byte_by_byte(
    store: Store, derived: str, plan: Plan, expected: str, max_parts: int
) -> None:
    told: list[int] = []
    builder = BundleBuilder(store, derived, progress=told.append, max_parts=max_parts)
    passed = builder.build(plan, KEY, Uploads())
    assert digest(store, derived) == expected
    assert passed == passed_bytes(zip_parts(plan.contents())) < plan.length / 2
    assert told == sorted(told)
    assert told[-1] == plan.length
    assert left(store, derived) == [KEY]


def test_nothing_at_all_is_an_empty_zip(store: Store, derived: str) -> None:
    BundleBuilder(store, derived).build(Plan([]), KEY, Uploads())
    data = b"".join(store.stream(store.head(derived, KEY)))
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == []


@pytest.mark.parametrize("number", [0, 3, 4])
@pytest.mark.parametrize("is_gone", [False, True])
def test_a_frame_that_changed_or_went_ends_it(store: Store, derived: str, number: int, *, is_gone: bool) -> None:
    """Frame 0 passes in part, 3 whole, and 4 is copied."""
    plan = stocked(store, BUCKET, "changing", MIXED, seed=2)
    state = plan.entries[number].content
    assert not isinstance(state, bytes)
    store.delete(BUCKET, (state.key,))
    if not is_gone:
        store.write_bytes(BUCKET, state.key, bytes(state.size), "application/fits")
    uploads = Uploads()
    builder = BundleBuilder(store, derived)
    with pytest.raises(ObjectGoneError if is_gone else ObjectChangedError):
        builder.build(plan, KEY, uploads)
    (upload_id,) = uploads.ids.values()
    builder.drop(KEY, uploads)
    assert left(store, derived) == []
    with pytest.raises(ObjectGoneError):
        parts_there(store, derived, KEY, upload_id)
    builder.drop(KEY, Uploads({KEY: upload_id}))


@pytest.mark.parametrize("max_parts", [10_000, 2])
def test_another_goes_on_wherever_it_ended(
    store: Store, derived: str, plan: Plan, expected: str, max_parts: int
) -> None:
    """Each process writes one part and ends; what is there is not written again."""
    kept: dict[str, str] = {}
    begun: list[str] = []

    def count(model: object, **_more: object) -> None:
        begun.append(str(getattr(model, "name", "")))

    events = store.s3.meta.events
    events.register("before-call.s3", count)
    ends = 0
    try:
        for _ in range(40):
            uploads = Uploads(dict(kept), kept.update)
            builder = BundleBuilder(store, derived, stop=after(1), workers=1, max_parts=max_parts)
            try:
                builder.build(plan, KEY, uploads)
                break
            except StoppedError:
                ends += 1
    finally:
        events.unregister("before-call.s3", count)
    assert ends >= 4
    assert digest(store, derived) == expected
    parts = len(list(zip_parts(plan.contents())))
    written = sum(name in ("UploadPart", "UploadPartCopy") for name in begun)
    assert written == parts if max_parts > parts else written < 2 * parts


def test_one_that_is_complete_is_not_built_again(store: Store, derived: str, plan: Plan, expected: str) -> None:
    uploads = Uploads()
    BundleBuilder(store, derived).build(plan, KEY, uploads)
    before = store.head(derived, KEY)
    BundleBuilder(store, derived).build(plan, KEY, Uploads(dict(uploads.ids)))
    assert store.head(derived, KEY) == before
    assert digest(store, derived) == expected


def test_an_upload_that_somebody_dropped_begins_anew(store: Store, derived: str, plan: Plan, expected: str) -> None:
    uploads = Uploads()
    with pytest.raises(StoppedError):
        BundleBuilder(store, derived, stop=after(2)).build(plan, KEY, uploads)
    known = dict(uploads.ids)
    BundleBuilder(store, derived).drop(KEY, uploads)
    BundleBuilder(store, derived).build(plan, KEY, Uploads(known))
    assert digest(store, derived) == expected


def test_what_no_object_holds_is_refused_before_it_is_begun(store: Store, derived: str) -> None:
    uploads = Uploads()
    with pytest.raises(StoreError, match="more than an object may have"):
        BundleBuilder(store, derived).build(Plan([stored("a", 6 << 40)]), KEY, uploads)
    assert uploads.ids == {}
