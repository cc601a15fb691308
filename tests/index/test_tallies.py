"""Counts kept by triggers are exact: whatever is written, gathered, killed or read at the same time."""

import contextlib
import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

import shared.index.paging as paging
from shared.database import make_engine, make_session_factory, read, write
from shared.index.bulk import put_frames
from shared.index.frames import put_frame, remove_frame
from shared.index.models import Combination, Frame
from shared.index.parameters import parse_filter, parse_query
from shared.index.query import aggregate, list_frames
from shared.index.record import FrameRecord
from shared.index.tallies import gather, rebuild, wrong_counts
from shared.index.tally_models import TallyChange, TallyDay
from shared.migrations import upgrade
from tests.index import plain
from tests.postgres import new_database

Factory = sessionmaker[Session]

FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"undated": "true"},
    {"SITE": "sutherland"},
    {"SITE": "sutherland", "FILTER": "None", "undated": "true"},
    {"OBJECT": "42"},
    {"OBJECT": "42", "INSTRUMENT": "kb03"},
    {"OBJECT": "str", "start": "2024-01-16"},
    {"night": "2024-01-15"},
    {"night": "2024-01-15", "undated": "true", "TELESCOPE": "0m5"},
    {"start": "2024-01-16", "end": "2024-01-17"},
    {"start": "2024-01-16T05:00:00", "end": "2024-01-17T23:00:00", "RLEVEL": "0"},
    {"start": "2024-01-16T05:00:00", "end": "2024-01-16T07:00:00"},
    {"IMAGETYPE": "bias", "end": "2024-01-17T11:00:00"},
    {"basename": "e00"},
    {"basename": "e0", "undated": "true"},
    {"basename": "4", "SITE": "sutherland"},
    {"basename": "003", "undated": "true"},
    {"basename": "-2024011", "IMAGETYPE": "bias"},
    {"basename": "0", "start": "2024-01-16"},
    {"RA": "83.8", "DEC": "-5.4", "radius": "30"},
    {"EXPTIME": "30", "SITE": "mcdonald"},
)


CONE = ("RA", "DEC", "radius")


def empty_database(request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the URL of one of the kind that the fixture's parameter names."""
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'tallies.sqlite'}"
    return new_database(request.getfixturevalue("postgres"), f"tallies_{random.Random().randrange(10**9)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return empty_database(request, tmp_path)


@pytest.fixture
def factory(url: str) -> Iterator[Factory]:
    engine = make_engine(url)
    upgrade(engine)
    yield make_session_factory(engine)
    engine.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stocked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Factory, list[tuple[int, FrameRecord]]]]:
    """An index that is only read, and the frames in it."""
    engine = make_engine(empty_database(request, tmp_path_factory.mktemp("stocked")))
    upgrade(engine)
    factory = make_session_factory(engine)
    records = {record.key: record for record in plain.random_records(150, seed=12)}
    with write(factory) as session:
        put_frames(session, records.values())
        gather(session)
    with read(factory) as session:
        rows = [(frame_id, records[key]) for frame_id, key in session.execute(select(Frame.id, Frame.key))]
    yield factory, rows
    engine.dispose()


def matching(rows: Sequence[tuple[int, FrameRecord]], given: Mapping[str, str]) -> list[tuple[int, FrameRecord]]:
    """Return the frames that a plain list leaves."""
    wanted: dict[str, Any] = {name: value for name, value in given.items() if name not in (*CONE, "undated")}
    if "RA" in given:
        wanted["cone"] = tuple(given[name] for name in CONE)
    return plain.matching(rows, wanted, undated="undated" in given)


def assert_exact(factory: Factory, records: dict[str, FrameRecord]) -> None:
    with read(factory) as session:
        ids = {key: frame_id for frame_id, key in session.execute(select(Frame.id, Frame.key))}
        rows = [(ids[key], record) for key, record in records.items()]
        for given in FILTERS:
            expected = matching(rows, given)
            assert list_frames(session, parse_query([*given.items(), ("limit", "0")])).count == len(expected), given
            assert asdict(aggregate(session, parse_filter(given.items()))) == plain.aggregate(expected), given


@pytest.mark.parametrize("seed", range(2))
def test_counts_follow_whatever_is_written(factory: Factory, seed: int) -> None:
    """Frames come, change and go, one by one and in bulk; changes are gathered at any time."""
    rng = random.Random(seed)
    stock = plain.random_records(150, seed=seed)
    there: dict[str, FrameRecord] = {}
    keys = [record.key for record in stock]
    for _ in range(6):
        with write(factory) as session:
            for record in rng.sample(stock, 20):
                changed = replace(record, key=rng.choice(keys))
                there[changed.key] = changed
                put_frame(session, changed)
            for key in rng.sample(sorted(there), 5):
                del there[key]
                assert remove_frame(session, "frames", key)
            bulk = {key: replace(rng.choice(stock), key=key) for key in rng.sample(keys, 10)}
            there |= bulk
            put_frames(session, bulk.values())
        if rng.random() < 0.5:
            with write(factory) as session:
                gather(session)
        assert_exact(factory, there)
    with write(factory) as session:
        assert wrong_counts(session) == {}
        assert session.scalar(select(func.count()).select_from(TallyChange)) == 0
    assert_exact(factory, there)


def test_wrong_counts_are_found_and_mended(factory: Factory) -> None:
    records = {record.key: record for record in plain.random_records(60, seed=9)}
    with write(factory) as session:
        put_frames(session, records.values())
    with write(factory) as session:
        assert wrong_counts(session) == {}
        session.execute(update(Combination).values(dated=Combination.dated + 1))
        session.execute(update(TallyDay).values(frames=TallyDay.frames + 1))
    with write(factory) as session:
        assert set(wrong_counts(session)) == {"combinations", "tally_days"}
        rebuild(session)
    with write(factory) as session:
        assert wrong_counts(session) == {}
    assert_exact(factory, records)


def test_a_transaction_that_is_rolled_back_counts_for_nothing(factory: Factory) -> None:
    record = plain.random_records(1, seed=1)[0]
    with write(factory) as session:
        put_frame(session, record)
        session.rollback()
    assert_exact(factory, {})


def test_counts_are_exact_in_every_transaction_while_others_write(factory: Factory) -> None:
    """What a transaction counts is what it can list, at every moment; and nothing is lost in the end."""
    stock = plain.random_records(80, seed=5)
    stop = threading.Event()

    def work(seed: int) -> None:
        rng = random.Random(seed)
        while not stop.is_set():
            # Two who are the first to use two names in another order may be in each other's way: one is rolled back.
            with contextlib.suppress(OperationalError), write(factory) as session:
                for record in rng.sample(stock, 3):
                    if rng.random() < 0.6:
                        put_frame(session, record)
                    else:
                        remove_frame(session, "frames", record.key)
            if rng.random() < 0.3:
                with write(factory) as session:
                    gather(session)

    looks = 0
    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(work, seed) for seed in range(3)]
        try:
            for turn in range(3000):
                given = FILTERS[turn % len(FILTERS)]
                with read(factory) as session:
                    page = list_frames(session, parse_query([*given.items(), ("limit", "1000")]))
                    assert page.count == len(page.rows), given
                looks += page.count > 0
                if turn >= 60 and looks > 10:
                    break
        finally:
            stop.set()
        for worker in workers:
            worker.result()
    assert looks > 10
    with write(factory) as session:
        assert wrong_counts(session) == {}


def _write_and_die(url: str, records: list[FrameRecord], *, commits: bool) -> None:
    factory = make_session_factory(make_engine(url))
    with write(factory) as session:
        put_frames(session, records)
        gather(session)
        if not commits:
            os.kill(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("commits", [False, True])
def test_a_killed_writer_leaves_counts_exact(factory: Factory, url: str, commits: bool) -> None:
    records = {record.key: record for record in plain.random_records(40, seed=4)}
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=_write_and_die, args=(url, list(records.values())), kwargs={"commits": commits})
    process.start()
    process.join(60)
    assert process.exitcode == -9
    assert_exact(factory, records if commits else {})
    with write(factory) as session:
        assert wrong_counts(session) == {}


@pytest.mark.parametrize(
    "thresholds", [{"_FEW": 0, "_NEAR": 0}, {"_FEW": 0, "_NEAR": 0, "_SEEK": 0.0, "_GATHERED": 0.0}]
)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_are_the_same_by_whatever_way(
    stocked: tuple[Factory, list[tuple[int, FrameRecord]]],
    monkeypatch: pytest.MonkeyPatch,
    thresholds: dict[str, Any],
    order: str,
) -> None:
    """Small numbers never take the ways of large ones; here they must."""
    for name, value in thresholds.items():
        monkeypatch.setattr(paging, name, value)
    factory, rows = stocked
    with read(factory) as session:
        for given in FILTERS:
            left = matching(rows, given)
            for sort in ("DATE_OBS", "EXPTIME", "OBJECT", "night"):
                expected = plain.sorted_ids(left, sort, descending=order == "desc")
                for offset in (0, 7, 60):
                    asked = [*given.items(), ("sort", sort), ("order", order), ("limit", "9"), ("offset", str(offset))]
                    found = [row.frame.id for row in list_frames(session, parse_query(asked)).rows]
                    assert found == expected[offset : offset + 9], asked
