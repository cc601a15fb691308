"""Databases full of everything, and empty ones: SQLite and PostgreSQL."""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts.account import Role
from shared.accounts.models import AccountImport, LoginSession
from shared.accounts.service import create_user
from shared.accounts.tokens import issue_token
from shared.backup.tables import LEFT_OUT, all_tables, kept_tables
from shared.database import make_engine, make_session_factory, read, utc_now, write
from shared.index.bulk import put_frames
from shared.index.bundle_jobs import BundleJob
from shared.index.failures import record_failure
from shared.index.frames import remove_frame
from shared.index.models import OutboxMessage, Sweep
from shared.index.record import FailureRecord, LinkRecord
from shared.index.reservations import ReservedFrame, continue_ids_above, reserve
from shared.index.superseded import note_superseded
from shared.migrations import upgrade
from tests.index.factory import make_record
from tests.postgres import new_database
from tests.prepared import prepare

Sessions = sessionmaker[Session]
Make = Callable[..., Sessions]

MANY = 1300
"""Frames, more than a batch of rows, and than changes are gathered at once."""


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """A full SQLite database, to be read only."""
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('whole') / 'index.sqlite'}")
    prepare(engine)
    sessions = make_session_factory(engine)
    fill(sessions)
    yield sessions
    engine.dispose()


@pytest.fixture(scope="session")
def whole_there(postgres: str) -> Iterator[Sessions]:
    """The same on PostgreSQL, filled by itself."""
    engine = make_engine(new_database(postgres, "backup_whole"))
    prepare(engine)
    sessions = make_session_factory(engine)
    fill(sessions)
    yield sessions
    engine.dispose()


@pytest.fixture
def full(request: pytest.FixtureRequest) -> Callable[[str], Sessions]:
    """Return the full database of a kind."""
    return lambda kind: request.getfixturevalue("whole" if kind == "sqlite" else "whole_there")


@pytest.fixture
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Make a database of a kind, with the tables of a revision or none at all."""
    made: list[Sessions] = []

    def make_one(kind: str, revision: str | None = "head") -> Sessions:
        name = f"backup_{secrets.token_hex(4)}"
        url = f"sqlite:///{tmp_path / name}.sqlite"
        if kind == "postgresql":
            url = new_database(request.getfixturevalue("postgres"), name)
        engine = make_engine(url)
        if revision is not None:
            upgrade(engine, revision)
        made.append(make_session_factory(engine))
        return made[-1]

    yield make_one
    for sessions in made:
        sessions.kw["bind"].dispose()


def fill(sessions: Sessions) -> None:
    """Put rows into every table that a backup holds, and some that it does not."""
    with write(sessions) as session:
        put_frames(session, [_record(number) for number in range(MANY)])
        assert remove_frame(session, "frames", "night/0003.fits")
        assert remove_frame(session, "frames", f"night/{MANY - 1:04}.fits")
        continue_ids_above(session, 5000)
        reserve(session, "frames", [ReservedFrame(4711, "night/later.fits", "ab" * 32, ("night-0001",))])
        _fill_rest(session)


def _record(number: int) -> Any:
    return make_record(
        key=f"night/{number:04}.fits",
        object_name=("M 42", "µ Cas", None)[number % 3],
        exposure_time=(0.1 + number, 1e-300, None)[number % 3],
        date_obs=dt.datetime(2026, 4, 15, 1, 2, 3, 456789) + dt.timedelta(minutes=number) if number % 7 else None,
        links=(LinkRecord("L1IDCAT", f"{number}-e00"),) if number % 5 == 0 else (),
        notes=("a note",) if number % 2 else (),
    )


def _fill_rest(session: Session) -> None:
    user = create_user(session, "ada", "correct horse", role=Role.STAFF)
    issue_token(session, user, "night-upload")
    now = utc_now()
    session.add(LoginSession(user_id=user.id, digest="cd" * 32, created_at=now, expires_at=now))
    session.add(AccountImport(item="user:ada", imported_at=now))
    record_failure(
        session,
        FailureRecord(
            bucket="frames",
            key="night/\ud800broken\x7f".encode("utf-8", "replace").decode(),
            version_id=None,
            etag="x",
            size=2**40,
            kind="truncated",
            message="it ends\ntoo early",
        ),
    )
    note_superseded(session, "frames", "night/0001.fits", "old")
    session.add(Sweep(bucket="frames", prefix="", scope="all", begun_at=now, ended_at=now))
    session.add(
        OutboxMessage(
            target="webhook",
            event_id="e",
            type="frame.indexed",
            bucket="frames",
            key="k",
            payload={"frame": {"id": 1, "none": None}},
            created_at=now,
            due_at=None,
            attempts=3,
            reason=None,
        )
    )
    values = {"state": "ready", "frames": 1, "size": 1, "done": 1, "passed": 0, "attempts": 0, "uncompress": False}
    session.add(
        BundleJob(
            id="b" * 32,
            user_id=user.id,
            digest="d",
            secret="s",
            day=now.date(),
            asked=["id=1"],
            frame_ids=[1],
            left_out=[],
            uploads={},
            created_at=now,
            updated_at=now,
            **values,
        )
    )


def contents(sessions: Sessions) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables that a backup holds, but for the counts, by table."""
    found = {}
    with read(sessions) as session:
        for table in kept_tables():
            columns = [column for column in table.columns if column.name not in ("dated", "undated")]
            found[table.name] = [tuple(row) for row in session.execute(select(*columns).order_by(*table.primary_key))]
    return found


def left_out_rows(sessions: Sessions) -> int:
    """Return how many rows there are of what a backup leaves out, but for counts."""
    with read(sessions) as session:
        tables = [one for one in all_tables() if one.name in LEFT_OUT and not one.name.startswith("tally_")]
        return sum(len(session.execute(select(table)).all()) for table in tables)
