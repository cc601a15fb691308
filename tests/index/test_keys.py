"""Frames by the beginning of their keys, on both kinds of database."""

from sqlalchemy.orm import Session, sessionmaker

from shared.database import read, write
from shared.index.frames import put_frame
from shared.index.keys import page_by_key
from tests.index.factory import make_record


def test_frames_are_found_by_the_beginning_of_their_keys(factory: sessionmaker[Session]) -> None:
    names = ("keys/a%1", "keys/a/2", "keys/a/1", "keys/b/1", "keys/\U0010ffff")
    with write(factory) as session:
        for name in names:
            put_frame(session, make_record(key=name, date_obs=None))
        put_frame(session, make_record(key="keys/a/1", bucket="another"))
    with read(factory) as session:
        count, rows = page_by_key(session, "frames", "keys/a/", limit=9, reach=9)
        assert (count, [row.key for row in rows]) == (2, ["keys/a/1", "keys/a/2"])
        assert page_by_key(session, "frames", "keys/a%", limit=9, reach=9)[0] == 1
        count, rows = page_by_key(session, "frames", "keys/", limit=2, offset=1, reach=3)
        assert (count, [row.key for row in rows]) == (3, ["keys/a/1", "keys/a/2"])
        assert page_by_key(session, "frames", "keys/nothing", limit=9, reach=9) == (0, ())
        assert page_by_key(session, "frames", "keys/\U0010ffff", limit=9, reach=9)[0] == 1
