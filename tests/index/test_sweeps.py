"""Sweeps in the index: joined, shared, taken over."""

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, sessionmaker

from shared.database import database_time, make_engine, make_session_factory, read, write
from shared.index.frames import put_frame
from shared.index.quantiles import count_frames, key_quantiles
from shared.index.sweeps import (
    ClaimedRange,
    PlannedRange,
    begin_sweep,
    claim_range,
    has_ended,
    is_wanted,
    release_range,
    renew_lease,
    save_progress,
    sweep_counts,
    sweep_under_way,
)
from shared.migrations import upgrade
from tests.index.factory import make_record
from tests.postgres import new_database

LEASE = dt.timedelta(minutes=1)
OVER = dt.timedelta(minutes=-1)
RANGES = [PlannedRange(part="objects", after="", until="m"), PlannedRange(part="objects", after="m", until=None)]
Factory = sessionmaker[Session]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    if request.param == "sqlite":
        yield from _sessions(f"sqlite:///{tmp_path_factory.mktemp('sweeps') / 'index.sqlite'}")
    else:
        yield from _sessions(new_database(request.getfixturevalue("postgres"), "sweeps"))


def _sessions(url: str) -> Iterator[Factory]:
    engine = make_engine(url)
    upgrade(engine)
    yield make_session_factory(engine)
    engine.dispose()


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    """A bucket for each test is as good as an index for each."""
    return f"bucket-{request.node.name}"


def begin(factory: Factory, bucket: str, lately: dt.timedelta = dt.timedelta(0)) -> int | None:
    with write(factory) as session:
        since = database_time(session) - lately
        return begin_sweep(session, bucket, "", "all", since=since, ranges=RANGES)


def claim(factory: Factory, sweep_id: int | None, owner: str, lease: dt.timedelta = LEASE) -> ClaimedRange | None:
    assert sweep_id is not None
    with write(factory) as session:
        return claim_range(session, sweep_id, owner, lease)


def save(factory: Factory, claimed: ClaimedRange, *, position: str | None = None, is_done: bool = False) -> bool:
    with write(factory) as session:
        return save_progress(session, claimed, {"stale": 1}, position=position, is_done=is_done)


def test_who_comes_later_joins_and_finds_what_is_left(made: Factory, bucket: str) -> None:
    sweep_id = begin(made, bucket)
    assert begin(made, bucket) == sweep_id
    first, second = claim(made, sweep_id, "a"), claim(made, sweep_id, "b")
    assert first is not None
    assert second is not None
    assert {(first.position, first.until), (second.position, second.until)} == {("", "m"), ("m", None)}
    assert claim(made, sweep_id, "c") is None
    assert save(made, first, position="c")
    assert save(made, first, is_done=True)
    assert not save(made, first), "what is done is nobody's"
    with read(made) as session:
        assert sweep_under_way(session, bucket, "", "all") == sweep_id
        assert sweep_under_way(session, bucket, "", "objects") is None
        assert sweep_under_way(session, bucket, "p", "all") is None
        assert not has_ended(session, first.sweep_id)
    assert save(made, second, is_done=True)
    with read(made) as session:
        assert has_ended(session, second.sweep_id)
        assert sweep_counts(session, second.sweep_id) == {"stale": 3}
        assert not is_wanted(session, bucket, "", "all", database_time(session) - LEASE)
        assert is_wanted(session, bucket, "", "all", database_time(session))
    assert begin(made, bucket, lately=LEASE) is None
    assert begin(made, bucket) == sweep_id
    with read(made) as session:
        assert sweep_counts(session, second.sweep_id) == {}


def test_a_range_whose_lease_has_ended_goes_to_another(made: Factory, bucket: str) -> None:
    sweep_id = begin(made, bucket)
    killed = claim(made, sweep_id, "killed")
    assert killed is not None
    assert save(made, killed, position="c")
    with write(made) as session:
        assert renew_lease(session, killed, OVER)
    heir = claim(made, sweep_id, "heir")
    assert heir is not None
    assert (heir.id, heir.position, heir.until) == (killed.id, "c", killed.until)
    with write(made) as session:
        assert not renew_lease(session, killed, LEASE)
        release_range(session, killed)
    assert not save(made, killed, position="d")
    assert save(made, heir, position="e")


def test_a_range_given_back_is_free_at_once(made: Factory, bucket: str) -> None:
    sweep_id = begin(made, bucket)
    claimed = claim(made, sweep_id, "a")
    assert claimed is not None
    with write(made) as session:
        save_progress(session, claimed, {}, position="b")
        release_range(session, claimed)
    again = claim(made, sweep_id, "b")
    assert again is not None
    assert (again.id, again.position) == (claimed.id, "b")


def test_quantiles_cut_into_parts_of_a_size(made: Factory, bucket: str) -> None:
    keys = sorted((f"a/{n}" for n in range(25)), key=str.encode)
    with write(made) as session:
        for key in [*keys, "b", "c"]:
            put_frame(session, make_record(bucket=bucket, key=key))
    with read(made) as session:
        assert count_frames(session, bucket, prefix="a/") == 25
        assert count_frames(session, "another") == 0
        assert key_quantiles(session, bucket, prefix="a/", step=10) == [keys[9], keys[19]]
        assert key_quantiles(session, bucket, prefix="a/", step=5) == keys[4:-1:5]
        assert key_quantiles(session, bucket, prefix="a/", step=25) == []
        assert key_quantiles(session, "another", step=1) == []
