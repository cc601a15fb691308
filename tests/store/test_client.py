"""The store room against a real object store."""

import datetime as dt
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.exceptions import NoCredentialsError

from shared.errors import ObjectChangedError, ObjectGoneError, StoreError, StoreUnavailableError
from shared.settings import Settings
from shared.store.client import Store
from shared.store.faults import translated
from shared.store.presign import content_disposition
from shared.store.session import make_session
from tests.archive import RunningArchive

BUCKET = "storeroom"
KEYS = [
    "plain.fits",
    "with blank.fits",
    "plus+percent%25%.fits",
    "ü/Ünïcode.fits",
    "nfd/u\u0308.fits",
    "q?x=1&y#z.fits",
    "equals=.fits",
    "/".join(["k" * 200] * 4) + "/" + "e" * 90 + ".fits",
]


@pytest.fixture(scope="module")
def store(archive: RunningArchive) -> Store:
    archive.store.ensure_bucket(BUCKET)
    archive.store.ensure_bucket(BUCKET)
    return archive.store


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:20])
def test_every_key_round_trips(store: Store, key: str) -> None:
    store.write_bytes(BUCKET, key, key.encode(), "application/fits")
    state = store.head(BUCKET, key)
    assert (state.key, state.size, state.etag) == (key, len(key.encode()), hashlib.md5(key.encode()).hexdigest())
    assert abs(state.last_modified - dt.datetime.now(dt.UTC).replace(tzinfo=None)) < dt.timedelta(minutes=1)
    assert b"".join(store.stream(state)) == key.encode()
    assert key in [found.key for found in store.walk(BUCKET)]
    link = store.presign_get(key, bucket=BUCKET, filename=key, expires=dt.timedelta(minutes=1))
    answer = httpx.get(link, trust_env=False)
    assert (answer.status_code, answer.content) == (200, key.encode())
    assert answer.headers["content-disposition"] == content_disposition(key)
    store.delete(BUCKET, (key,))
    with pytest.raises(ObjectGoneError):
        store.head(BUCKET, key)


@pytest.mark.parametrize(
    "key", [".", "..", "../storeroom/n/a.fits", "n/../n/a.fits", "n//a.fits", "/n/a.fits", "n///a.fits", "./n/a.fits"]
)
def test_an_object_is_found_under_its_own_key_alone(store: Store, key: str) -> None:
    store.write_bytes(BUCKET, "n/a.fits", b"junk", "application/fits")
    with pytest.raises(ObjectGoneError):
        store.head(BUCKET, key)
    assert store.head(BUCKET, "n/a.fits").size == 4


def test_an_object_that_the_store_does_not_let_us_look_at_is_not_gone(store: Store) -> None:
    store.s3.put_object(
        Bucket=BUCKET, Key="encrypted.fits", Body=b"junk", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32
    )
    with pytest.raises(StoreError) as caught:
        store.head(BUCKET, "encrypted.fits")
    assert not isinstance(caught.value, ObjectGoneError | StoreUnavailableError)
    assert store.listed(BUCKET, "encrypted.fits") is not None
    assert store.listed(BUCKET, "encrypted") is None


def test_walk_is_in_byte_order_and_paged(store: Store) -> None:
    keys = [f"walk/{name}" for name in ["B", "a", "a/b", "a0", "z", "é", "𝛼", "ￚ"]] + [
        f"walk/n{n:04}" for n in range(1100)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.write_bytes(BUCKET, key, b"x", "text/plain"), keys))
    ordered = sorted(keys, key=str.encode)
    assert [found.key for found in store.walk(BUCKET, prefix="walk/")] == ordered
    assert [found.key for found in store.walk(BUCKET, prefix="walk/", after=ordered[1003])] == ordered[1004:]
    store.delete(BUCKET, tuple(keys))
    assert list(store.walk(BUCKET, prefix="walk/")) == []


def test_reading_is_pinned_to_what_was_seen(store: Store) -> None:
    store.write_bytes(BUCKET, "pinned", b"old" * 1000, "text/plain")
    seen = store.head(BUCKET, "pinned")
    store.write_bytes(BUCKET, "pinned", b"new" * 1000, "text/plain")
    with pytest.raises(ObjectChangedError):
        b"".join(store.stream(seen))
    store.delete(BUCKET, ("pinned",))
    with pytest.raises(ObjectGoneError):
        b"".join(store.stream(seen))


def test_large_objects_go_in_parts(store: Store) -> None:
    data = bytes(range(256)) * 80_000
    store.upload(BUCKET, "large", io.BytesIO(data))
    state = store.head(BUCKET, "large")
    assert hashlib.sha256(b"".join(store.stream(state))).digest() == hashlib.sha256(data).digest()
    (listed,) = store.walk(BUCKET, prefix="large")
    assert (listed.etag, listed.size) == (state.etag, state.size)
    store.delete(BUCKET, ("large",))


def test_small_reads_are_bounded(store: Store) -> None:
    store.write_bytes(BUCKET, "long", b"x" * 100, "text/plain")
    assert store.read_bytes(BUCKET, "long", 100) == b"x" * 100
    with pytest.raises(StoreError, match="100 bytes are more than 99"):
        store.read_bytes(BUCKET, "long", 99)


def test_missing_things_have_clear_errors(store: Store) -> None:
    with pytest.raises(ObjectGoneError, match="look at storeroom/nothing"):
        store.head(BUCKET, "nothing")
    with pytest.raises(ObjectGoneError):
        store.check_bucket("no-such-bucket")
    store.delete(BUCKET, ("nothing",))


def test_wrong_keys_are_no_passing_fault(archive: RunningArchive) -> None:
    wrong = Settings(
        _env_file=None, s3_endpoint_url=archive.settings.s3_endpoint_url, s3_access_key="x", s3_secret_key="y"
    )
    with pytest.raises(StoreError) as caught:
        Store(wrong).head("frames", "x")
    assert not isinstance(caught.value, StoreUnavailableError | ObjectGoneError)


def test_a_store_that_is_away_may_come_back() -> None:
    away = Settings(_env_file=None, s3_endpoint_url="http://127.0.0.1:9", s3_access_key="x", s3_secret_key="y")
    with pytest.raises(StoreUnavailableError):
        Store(away).head("frames", "x")


def test_links_name_the_public_address() -> None:
    settings = Settings(
        _env_file=None,
        s3_endpoint_url="http://127.0.0.1:9",
        s3_public_url="https://data.example.org",
        s3_access_key="x",
        s3_secret_key="y",
    )
    link = Store(settings).presign_get("a b.fits", bucket="frames", expires=dt.timedelta(seconds=90), version_id="v7")
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "data.example.org", "/frames/a%20b.fits")
    query = parse_qs(parts.query)
    assert query["X-Amz-Expires"] == ["90"]
    assert query["versionId"] == ["v7"]
    with pytest.raises(StoreError, match=r"no link for frames/a/\.\./b"):
        Store(settings).presign_get("a/../b", bucket="frames", expires=dt.timedelta(seconds=90))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a b.fits", 'attachment; filename="a b.fits"'),
        ('x"\r\nSet-Cookie: y', 'attachment; filename="x___Set-Cookie: y"'),
        ("ü.fits", "attachment; filename=\"u_.fits\"; filename*=UTF-8''%C3%BC.fits"),
        ("", 'attachment; filename="frame"'),
    ],
)
def test_content_disposition(name: str, header: str) -> None:
    assert content_disposition(name) == header


def test_missing_keys_are_told_with_the_way_to_get_them() -> None:
    with pytest.raises(StoreError, match="FITSVAULT_HOME"), translated("write", "frames", "m51.fits"):
        raise NoCredentialsError


def test_clients_share_what_botocore_read_of_services_and_no_keys(archive: RunningArchive) -> None:
    sessions = [
        make_session(archive.settings),
        make_session(archive.settings.model_copy(update={"s3_access_key": "x"})),
    ]
    first, second = (session.client("s3", endpoint_url="http://127.0.0.1:9") for session in sessions)
    keys = [credentials.access_key for session in sessions if (credentials := session.get_credentials())]
    assert keys == [archive.settings.s3_access_key, "x"]
    loaders = {id(session._session.get_component("data_loader")) for session in sessions}
    assert len(loaders) == 1
    assert first.meta.service_model.operation_names == second.meta.service_model.operation_names
