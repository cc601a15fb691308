"""Ranges by signed links, over lines that break off, and what boto3 is asked for in their place."""

import hashlib
import random
from collections.abc import Iterator

import pytest

from shared.errors import NoStoreKeysError, ObjectChangedError, StoreError, StoreUnavailableError
from shared.settings import Settings
from shared.store.client import Store
from shared.store.model import ObjectState
from tests.api.cutting import cutting_door
from tests.archive import RunningArchive

BUCKET = "readranges"
DATA = random.Random(7).randbytes(5_000_000)


@pytest.fixture(scope="module")
def state(archive: RunningArchive) -> ObjectState:
    archive.store.ensure_bucket(BUCKET)
    archive.store.write_bytes(BUCKET, "a é+%.fits", DATA, "application/fits")
    return archive.store.head(BUCKET, "a é+%.fits")


def behind(archive: RunningArchive, door: str) -> Store:
    return Store(archive.settings.model_copy(update={"s3_endpoint_url": door}), attempts=1)


def test_chunks_have_their_length(archive: RunningArchive, state: ObjectState) -> None:
    chunks = list(archive.store.chunks(state, 1000, 4_500_001, 1 << 20))
    assert b"".join(chunks) == DATA[1000:4_500_001]
    assert {len(chunk) for chunk in chunks[:-1]} == {1 << 20}
    assert archive.store.read_range(state, 7, 9) == DATA[7:9]
    assert list(archive.store.chunks(state, 9, 9, 100)) == []


def test_a_line_that_breaks_off_is_taken_up_again(archive: RunningArchive, state: ObjectState) -> None:
    cuts: Iterator[int | None] = iter([700_000, 100, 1_500_000])
    with cutting_door(str(archive.settings.s3_endpoint_url), lambda: next(cuts, None)) as door:
        chunks = list(behind(archive, door).chunks(state, 0, state.size, 1 << 20))
    assert hashlib.sha256(b"".join(chunks)).digest() == hashlib.sha256(DATA).digest()
    assert {len(chunk) for chunk in chunks[:-1]} == {1 << 20}


def test_a_line_that_always_breaks_off_is_given_up(archive: RunningArchive, state: ObjectState) -> None:
    with (
        cutting_door(str(archive.settings.s3_endpoint_url), lambda: 5000) as door,
        pytest.raises(StoreUnavailableError),
    ):
        behind(archive, door).read_range(state, 0, state.size)


def test_wrong_keys_and_none_are_told(archive: RunningArchive, state: ObjectState) -> None:
    wrong = {"s3_access_key": "x", "s3_secret_key": "y"}
    settings = Settings(_env_file=None, s3_endpoint_url=archive.settings.s3_endpoint_url, **wrong)  # type: ignore[arg-type]
    with pytest.raises(StoreError) as caught:
        Store(settings).read_range(state, 0, 5)
    assert not isinstance(caught.value, StoreUnavailableError | ObjectChangedError | NoStoreKeysError)
