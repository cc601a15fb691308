"""Frames as rows: written, replaced, removed, found and walked, by many writers at once, whatever the header said."""

import dataclasses
import datetime as dt
import math
import subprocess
import sys
import threading
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from shared.database import make_engine, make_session_factory, read, write
from shared.index.frames import IndexedObject, find_object, put_frame, remove_frame, walk_objects
from shared.index.models import Frame, FrameLink
from shared.index.query import get_frame
from shared.index.record import FrameRecord, LinkRecord
from shared.index.text import is_storable
from shared.migrations import upgrade
from tests.index.factory import make_record

ROOT = Path(__file__).resolve().parents[2]
KEY = "a/b.fits"

STORM = """
import sys
from shared.database import make_engine, make_session_factory, read, write
from shared.index.frames import find_object, put_frame, remove_frame
from shared.index.record import LinkRecord
from tests.index.factory import make_record

number = int(sys.argv[2])
engine = make_engine(sys.argv[1])
factory = make_session_factory(engine)
links = tuple(LinkRecord("L1RAW", f"raw{n}") for n in range(5))
for turn in range(40):
    with write(factory) as session:
        find_object(session, "frames", "same.fits")
        put_frame(session, make_record(key="same.fits", size=number, links=links))
        put_frame(session, make_record(key=f"{number}/{turn}.fits"))
    if turn % 4 == 3:
        with write(factory) as session:
            remove_frame(session, "frames", "same.fits")
            remove_frame(session, "frames", f"{number}/{turn}.fits")
    with read(factory) as session:
        find_object(session, "frames", "same.fits")
with write(factory) as session:
    put_frame(session, make_record(key="same.fits", size=number, links=links))
engine.dispose()
"""


def stored(factory: sessionmaker[Session], frame_id: int) -> Frame:
    with read(factory) as session:
        row = get_frame(session, frame_id)
    assert row is not None
    return row.frame


def put(factory: sessionmaker[Session], record: FrameRecord) -> int:
    with write(factory) as session:
        return put_frame(session, record)


def count(factory: sessionmaker[Session], model: type[Frame] | type[FrameLink]) -> int:
    with read(factory) as session:
        return session.scalars(select(func.count()).select_from(model)).one()


def test_every_field_of_the_record_is_kept(factory: sessionmaker[Session]) -> None:
    record = make_record(
        version_id="v1",
        proposal_id="P1",
        public_date=dt.datetime.fromisoformat("2025-01-15T00:00:00"),
        origin_name="raw.fits",
        request_number="0012",
        observation_number="3",
        footprint=((1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (7.0, 8.0)),
        altitude=45.5,
        x_origin=16,
        height=2**40,
        hdu_count=2,
        hdu_kinds=("image", "table"),
        notes=("odd length", "no EXTNAME"),
    )
    frame = stored(factory, put(factory, record))
    for field in dataclasses.fields(FrameRecord):
        if field.name not in ("links", "footprint", "hdu_kinds", "notes"):
            assert getattr(frame, field.name) == getattr(record, field.name), field.name
    assert frame.footprint == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]
    assert (frame.hdu_kinds, frame.notes, frame.binning) == (["image", "table"], ["odd length", "no EXTNAME"], "2x2")
    assert frame.ingested_at == frame.updated_at
    assert frame.ingested_at.tzinfo is None


def test_a_frame_is_replaced_as_a_whole_and_keeps_its_id(factory: sessionmaker[Session]) -> None:
    links = (LinkRecord("L1BIAS", "one"), LinkRecord("L1DARK", "two"), LinkRecord("L1DARK", "two"))
    first = put(factory, make_record(key=KEY, links=links, footprint=((1.0, 2.0),)))
    before = stored(factory, first)
    assert count(factory, FrameLink) == 2
    again = put(factory, make_record(key=KEY, object_name=None, ra=None, etag="new", links=links[:1]))
    after = stored(factory, again)
    assert again == first
    assert (after.etag, after.object_name, after.object_folded) == ("new", None, None)
    assert (after.ra, after.dec, after.dec_zone, after.vector_x, after.footprint) == (None, None, None, None, None)
    assert after.ingested_at == before.ingested_at
    assert after.updated_at > before.updated_at
    assert (count(factory, Frame), count(factory, FrameLink)) == (1, 1)


def test_a_removed_frame_takes_its_links_along_and_its_id_is_not_used_again(factory: sessionmaker[Session]) -> None:
    first = put(factory, make_record(key=KEY, links=(LinkRecord("L1BIAS", "one"),)))
    with write(factory) as session:
        assert not remove_frame(session, "other", KEY)
        assert remove_frame(session, "frames", KEY)
        assert not remove_frame(session, "frames", KEY)
    assert (count(factory, Frame), count(factory, FrameLink)) == (0, 0)
    assert put(factory, make_record(key=KEY)) > first


def test_one_key_in_two_buckets_is_two_frames(factory: sessionmaker[Session]) -> None:
    assert put(factory, make_record(key=KEY)) != put(factory, make_record(key=KEY, bucket="other"))


def test_an_object_is_found_by_its_exact_key(factory: sessionmaker[Session]) -> None:
    record = make_record(key=KEY, version_id="v7")
    frame_id = put(factory, record)
    with read(factory) as session:
        assert find_object(session, "frames", KEY) == IndexedObject(
            frame_id, KEY, record.etag, "v7", record.size, record.last_modified, record.digest
        )
        assert find_object(session, "frames", KEY.upper()) is None
        assert find_object(session, "other", KEY) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"x_binning": None, "y_binning": None}, {"binning": "1x1", "x_binning": None}),
        ({"x_binning": 4, "y_binning": None}, {"binning": "4x1", "y_binning": None}),
        ({"x_binning": 2**80}, {"x_binning": None, "binning": "1x2"}),
        ({"reduction_level": -(2**64)}, {"reduction_level": 0}),
        ({"exposure_time": math.nan}, {"exposure_time": None}),
        ({"data_mean": math.inf}, {"data_mean": None}),
        ({"ra": math.nan}, {"ra": None, "dec": None, "dec_zone": None}),
        ({"dec": 90.5}, {"ra": None, "dec": None}),
        ({"ra": 360.0}, {"ra": 0.0}),
        ({"footprint": ((1.0, math.nan),)}, {"footprint": None}),
        ({"object_name": ""}, {"object_name": None, "object_folded": None}),
        ({"object_name": "a\0b\ud800"}, {"object_name": "a\ufffdb\ufffd"}),
        ({"object_name": "ÅΣ"}, {"object_name": "ÅΣ", "object_folded": "åσ"}),
        ({"instrument": "x" * 10_000}, {"instrument": "x" * 500}),
        ({"notes": ("a\0",)}, {"notes": ["a\ufffd"]}),
        (
            {"date_obs": dt.datetime.fromisoformat("2024-01-15T18:00:00+02:00")},
            {"date_obs": dt.datetime.fromisoformat("2024-01-15T16:00:00")},
        ),
        ({"crc32": 2**32 - 1, "size": 2**45}, {"crc32": 2**32 - 1, "size": 2**45}),
    ],
)
def test_what_no_database_could_hold_is_mended(
    factory: sessionmaker[Session], given: dict[str, object], kept: dict[str, object]
) -> None:
    frame = stored(factory, put(factory, make_record(**given)))
    assert {name: getattr(frame, name) for name in kept} == kept


HOSTILE = st.fixed_dictionaries(
    dict.fromkeys(("site", "object_name", "filter_name", "request_number", "etag"), st.text(st.characters()))
    | dict.fromkeys(("exposure_time", "ra", "dec", "altitude", "data_mean"), st.none() | st.floats())
    | dict.fromkeys(("x_binning", "width", "y_origin"), st.none() | st.integers())
    | {"date_obs": st.none() | st.datetimes(), "night": st.none() | st.dates(), "reduction_level": st.integers()}
    | {"notes": st.lists(st.text(st.characters()), max_size=3).map(tuple)}
    | {"footprint": st.none() | st.lists(st.tuples(st.floats(), st.floats()), max_size=4).map(tuple)}
    | {
        "links": st.lists(st.builds(LinkRecord, st.text(st.characters()), st.text(st.characters())), max_size=3).map(
            tuple
        )
    }
)


@given(HOSTILE)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_header_keeps_a_frame_out(factory: sessionmaker[Session], fields: dict[str, object]) -> None:
    record = make_record(**fields)
    frame = stored(factory, put(factory, record))
    assert (frame.key, frame.date_obs, frame.night) == (record.key, record.date_obs, record.night)
    for column in Frame.__table__.columns:
        value = getattr(frame, column.key)
        assert not isinstance(value, str) or is_storable(value)
        assert not isinstance(value, float) or math.isfinite(value)


TREE = ["", "a", "a/", "a/b", "a/ü", "a/\U0001f52d", "a/\uffff", "a0", "b", "é", "z/%_", "a b+c", "A"]


@pytest.mark.parametrize("by_factory", [True, False])
def test_a_walk_is_in_byte_order(factory: sessionmaker[Session], by_factory: bool) -> None:
    keys = [f"{name}.fits" for name in TREE]
    with write(factory) as session:
        for key in keys:
            put_frame(session, make_record(key=key))
        put_frame(session, make_record(key="a/other.fits", bucket="other"))
    with read(factory) as session:
        source = factory if by_factory else session
        for prefix, after in product(("", "a/", "a/\uffff", "z", "nothing"), ("", "a/b", "zz")):
            wanted = sorted((key for key in keys if key.startswith(prefix) and key > after), key=str.encode)
            for batch in (1, 2, 1000):
                found = walk_objects(source, "frames", prefix=prefix, after=after, batch=batch)
                assert [item.key for item in found] == wanted, (prefix, after, batch)


def test_a_walk_goes_on_while_frames_come_and_go(factory: sessionmaker[Session]) -> None:
    with write(factory) as session:
        for number in range(10):
            put_frame(session, make_record(key=f"{number}.fits"))
    seen = []
    for item in walk_objects(factory, "frames", batch=2):
        seen.append(item.key)
        with write(factory) as session:
            remove_frame(session, "frames", item.key)
            put_frame(session, make_record(key="0-late.fits"))
    assert seen == [f"{number}.fits" for number in range(10)]


def test_threads_that_put_and_remove_one_frame_leave_one_row(factory: sessionmaker[Session]) -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(15):
                put(factory, make_record(key=KEY, size=number, links=(LinkRecord("L1RAW", f"r{number}"),)))
                if turn % 5 == 2:
                    with write(factory) as session:
                        remove_frame(session, "frames", KEY)
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    assert (count(factory, Frame), count(factory, FrameLink)) == (1, 1)


def test_processes_that_put_and_remove_leave_one_row_for_each_key(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    engine = make_engine(url)
    upgrade(engine)
    commands = [[sys.executable, "-W", "error", "-c", STORM, url, str(number)] for number in range(4)]
    started = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [(process.communicate(timeout=200)[1], process.returncode) for process in started] == [("", 0)] * 4
    _assert_storm_has_passed(engine)
    engine.dispose()


def _assert_storm_has_passed(engine: Engine) -> None:
    factory = make_session_factory(engine)
    kept = {f"{number}/{turn}.fits" for number in range(4) for turn in range(40) if turn % 4 != 3}
    with read(factory) as session:
        keys = [item.key for item in walk_objects(session, "frames")]
        assert sorted(keys) == sorted({*kept, "same.fits"})
        assert session.scalars(select(func.count()).select_from(FrameLink)).one() == 5
