import dataclasses

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.index.bulk import put_frames
from shared.index.bundles import bundle_of_ids, bundle_of_query
from shared.index.models import Frame
from shared.index.parameters import parse_query
from shared.index.query import list_frames
from shared.index.selection import FrameQuery
from tests.index.factory import make_record

Sessions = sessionmaker[Session]
EVERY = 2**63 - 1


def put_some(factory: Sessions, count: int) -> list[int]:
    records = [make_record(key=f"{n}.fits", filter_name="RV"[n % 2], exposure_time=n % 3 or None) for n in range(count)]
    with write(factory) as session:
        put_frames(session, records)
        ids = dict(session.execute(select(Frame.key, Frame.id)).all())
    return [ids[record.key] for record in records]


def test_a_bundle_is_the_list(factory: Sessions) -> None:
    put_some(factory, 12)
    for text in ("", "sort=EXPTIME&order=desc", "FILTER=V", "sort=basename&limit=4&offset=3", "limit=0"):
        query = parse_query([tuple(pair.split("=")) for pair in text.split("&") if pair])  # type: ignore[misc]
        with read(factory) as session:
            frames = list(bundle_of_query(session, query))
            rows = list_frames(session, query).rows
        assert [frame.id for frame in frames] == [row.frame.id for row in rows]
        for frame, row in zip(frames, rows, strict=True):
            assert dataclasses.asdict(frame) == {name: getattr(row.frame, name) for name in dataclasses.asdict(frame)}


def test_no_limit_means_every_frame(factory: Sessions) -> None:
    put_some(factory, 1003)
    with read(factory) as session:
        assert len(list(bundle_of_query(session, parse_query([], max_limit=EVERY)))) == 1003
        assert len(list(bundle_of_query(session, parse_query([("limit", "1002")], max_limit=EVERY)))) == 1002
        assert len(list(bundle_of_query(session, FrameQuery()))) == 1000


def test_ids_keep_their_order(factory: Sessions) -> None:
    first, second, third = put_some(factory, 3)
    with read(factory) as session:
        wanted = [third, first, 10**30, -1, first, second + 1000]
        assert [frame.id for frame in bundle_of_ids(session, wanted)] == [third, first, first]
        assert list(bundle_of_ids(session, [])) == []


def test_many_ids_take_few_statements(factory: Sessions, engine: Engine) -> None:
    ids = put_some(factory, 1500)
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        with read(factory) as session:
            assert [frame.id for frame in bundle_of_ids(session, ids)] == ids
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 2
    assert all("footprint" not in statement for statement in statements)


@given(st.integers())
def test_a_limit_is_taken_as_it_is(limit: int) -> None:
    assert parse_query([("limit", str(limit))], max_limit=EVERY).limit == min(max(limit, 0), EVERY)
    assert parse_query([("limit", str(limit))]).limit == min(max(limit, 0), 1000)
