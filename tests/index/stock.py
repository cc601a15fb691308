"""Frames for a module of tests: some of them counted, some not yet, and some gone again."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Engine

from shared.database import make_session_factory, write
from shared.index.frames import put_frame, remove_frame
from shared.index.record import FrameRecord
from shared.index.tallies import gather

Row = tuple[int, FrameRecord]


def put_stock(engine: Engine, counted: Iterable[FrameRecord], others: Iterable[FrameRecord], *, gone: int) -> list[Row]:
    """Put frames of which the first lot is counted; each ``gone``-th of all goes again, and the others are returned."""
    sessions = make_session_factory(engine)
    with write(sessions) as session:
        found = [(put_frame(session, record), record) for record in counted]
        gather(session)
    with write(sessions) as session:
        found += [(put_frame(session, record), record) for record in others]
    with write(sessions) as session:
        for _, record in found[::gone]:
            remove_frame(session, record.bucket, record.key)
    return _kept(found, gone)


def _kept(found: Sequence[Row], gone: int) -> list[Row]:
    return [row for number, row in enumerate(found) if number % gone]
