"""The parts of a migration: keys and paths, the database that is only read, accounts, files that are missing."""

import contextlib
import datetime as dt
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts import service
from shared.accounts.account import Role
from shared.accounts.tokens import find_by_token, revoke_token
from shared.database import make_engine, make_session_factory, read, write
from shared.errors import BadTokenError, SourceError
from shared.pyobs.accounts import AccountFate, AccountOutcome, import_accounts
from shared.pyobs.model import PyobsFrame, PyobsUser, local_path, object_key
from shared.pyobs.source import PyobsSource
from shared.pyobs.verify import KnownFrame, differences
from tests.prepared import prepare
from tests.pyobs.predecessor import OldUser, django_hash, make_database, make_frames

MOMENT = dt.datetime.fromisoformat("2026-11-21T20:00:00.250")
ROOT = Path("/srv/pyobs")


def frame(path: str = "a/b/", basename: str = "x", **more: object) -> PyobsFrame:
    return PyobsFrame(**({"id": 1, "basename": basename, "path": path, "date_obs": MOMENT} | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("a/b/", "a/b/x.fits.fz"),
        ("a/b", "a/b/x.fits.fz"),
        ("./a//b/.", "a/b/x.fits.fz"),
        ("", "x.fits.fz"),
        ("/srv/pyobs/a", "a/x.fits.fz"),
        ("a b/ü+%/", "a b/ü+%/x.fits.fz"),
    ],
)
def test_the_key_is_the_path_below_the_root(path: str, key: str) -> None:
    assert object_key(frame(path), ROOT) == key
    assert object_key(frame(path), ROOT, "old/") == f"old/{key}"
    assert local_path(frame(path), ROOT) == ROOT / key


@pytest.mark.parametrize(
    ("path", "basename"),
    [
        ("../a", "x"),
        ("a/../../b", "x"),
        ("/etc", "x"),
        ("/srv/pyobs-other", "x"),
        ("a", "../x"),
        ("a", ""),
        ("a\n", "x"),
        ("a", "x\0"),
        ("a/" * 600, "x"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str, basename: str) -> None:
    with pytest.raises(SourceError):
        object_key(frame(path, basename), ROOT)


@given(st.text(), st.text())
def test_no_row_leads_out_of_the_root(path: str, basename: str) -> None:
    try:
        found = local_path(frame(path, basename), ROOT)
    except SourceError:
        return
    assert Path(os.path.normpath(found)).is_relative_to(ROOT)


def test_what_differs_is_told() -> None:
    old = frame(related=((1, "x"), (2, "b"), (3, "c"), (9, "gone")))
    assert differences(old, KnownFrame(1, "x", MOMENT), [2, 3, 4], {9}) == []
    assert differences(old, KnownFrame(1, "x", MOMENT + dt.timedelta(microseconds=900)), [2, 3], {9}) == []
    assert differences(old, KnownFrame(5, "y", None), [2]) == [
        "it has the id 5",
        "its basename is 'y'",
        "its DATE_OBS is None and was 2026-11-21 20:00:00.250000",
        "no links to 3, 9",
    ]


def test_the_database_is_read_and_never_written(tmp_path: Path) -> None:
    path = tmp_path / "with %20 blank?.sqlite3"
    olds = make_frames(25)
    make_database(f"sqlite:///{path}", olds, [OldUser("ada", "x", "a" * 40)], largest_id=500, projects=2)
    source = PyobsSource(f"sqlite:///{path}")
    batches = list(source.frames(10))
    assert [len(batch) for batch in batches] == [10, 10, 5]
    read_back = {found.id: found for batch in batches for found in batch}
    assert {old.id: (old.basename, old.date_obs, old.related) for old in olds} == {
        found.id: (found.basename, found.date_obs, [n for n, _ in found.related]) for found in read_back.values()
    }
    assert (source.count(), source.largest_id(), source.project_count()) == (25, 500, 2)
    assert [user.username for user in source.users()] == ["ada"]
    with pytest.raises(SourceError, match="readonly"):
        source._rows(sa.text("DELETE FROM api_frame"))
    source.close()


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/db.sqlite3", "mysql://x/y", "nonsense", "postgresql://127.0.0.1:1/x"]
)
def test_a_database_that_cannot_be_read_is_told(url: str) -> None:
    with pytest.raises(SourceError):
        PyobsSource(url)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((5, None, "a/", "2026-11-21 20:00:00"), "frame 5"),
        ((5, "x", None, "2026-11-21 20:00:00"), "frame 5"),
        ((5, b"x", "a/", "2026-11-21 20:00:00"), "frame 5"),
        ((5, "x", "a/", None), "frame 5"),
        ((2**63 - 1, "x", "a/", "2026-11-21 20:00:00"), "no room for new ones"),
    ],
    ids=str,
)
def test_a_row_that_nothing_can_be_made_of_is_told(tmp_path: Path, row: tuple[object, ...], reason: str) -> None:
    """SQLite keeps what the predecessor's schema rules out; the largest id of all would be the last one here."""
    with contextlib.closing(sqlite3.connect(tmp_path / "old.sqlite3")) as database:
        database.executescript(
            "CREATE TABLE auth_user (id, username, password, is_active, is_staff, is_superuser, date_joined,"
            " last_login);"
            "CREATE TABLE authtoken_token (key, created, user_id);"
            'CREATE TABLE api_frame (id integer PRIMARY KEY AUTOINCREMENT, basename, path, "DATE_OBS");'
            "CREATE TABLE api_frame_related (from_frame_id, to_frame_id);"
            "INSERT INTO auth_user VALUES (7, 'ada', NULL, 1, 0, 0, '2020-01-01 00:00:00', NULL)"
        )
        database.execute("INSERT INTO api_frame VALUES (?, ?, ?, ?)", row)
        database.commit()
    source = PyobsSource(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    with pytest.raises(SourceError, match=reason):
        assert (source.largest_id(), list(source.frames())) is None
    with pytest.raises(SourceError, match="account 7"):
        source.users()
    source.close()


def test_another_database_is_refused(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE auth_user (id integer)"))
    engine.dispose()
    with pytest.raises(SourceError, match="no tables api_frame, api_frame_related, authtoken_token"):
        PyobsSource(f"sqlite:///{tmp_path / 'other.sqlite3'}")


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[sessionmaker[Session]]:
    engine = make_engine(f"sqlite:///{tmp_path / 'index.sqlite'}")
    prepare(engine)
    yield make_session_factory(engine)
    engine.dispose()


def user(username: str, *keys: str, **more: object) -> PyobsUser:
    values: dict[str, object] = {"is_active": True, "is_staff": False, "is_superuser": False, "date_joined": MOMENT}
    values |= {"username": username, "password": django_hash("secret"), "tokens": tuple((key, MOMENT) for key in keys)}
    return PyobsUser(**(values | more))  # type: ignore[arg-type]


def take(sessions: sessionmaker[Session], *users: PyobsUser) -> list[AccountOutcome]:
    return list(import_accounts(sessions, users))


def owner(sessions: sessionmaker[Session], key: str) -> str | None:
    with read(sessions) as session:
        try:
            return find_by_token(session, key)[0].username
        except BadTokenError:
            return None


def test_accounts_come_with_roles_and_tokens(sessions: sessionmaker[Session]) -> None:
    done = take(
        sessions,
        user("ada", "a" * 40, is_staff=True),
        user("root", "b" * 40, is_superuser=True),
        user("bcrypt", password="bcrypt$$2b$12$x"),
        user("no name"),
        user("odd", "not-a-key"),
    )
    assert [(outcome.fate, outcome.tokens) for outcome in done] == [
        (AccountFate.MADE, 1),
        (AccountFate.MADE, 1),
        (AccountFate.LOCKED, 0),
        (AccountFate.REFUSED, 0),
        (AccountFate.MADE, 0),
    ]
    assert service.authenticate(sessions, "ada", "secret").role is Role.STAFF
    assert service.authenticate(sessions, "root", "secret").role is Role.SUPERUSER
    assert owner(sessions, "a" * 40) == "ada"


def test_a_rehearsal_leaves_nothing(sessions: sessionmaker[Session]) -> None:
    assert [o.fate for o in import_accounts(sessions, [user("ada", "a" * 40)], dry_run=True)] == [AccountFate.MADE]
    with read(sessions) as session:
        assert service.list_users(session) == []


def test_what_was_changed_here_stays(sessions: sessionmaker[Session]) -> None:
    take(sessions, user("ada", "a" * 40), user("bob", "b" * 40))
    with write(sessions) as session:
        ada = service.find_user(session, "ada")
        bob = service.find_user(session, "bob")
        assert ada is not None
        assert bob is not None
        service.set_password(session, ada, "another one")
        revoke_token(session, find_by_token(session, "a" * 40)[1].id)
        session.delete(bob)
    again = take(sessions, user("ada", "a" * 40, "c" * 40, is_superuser=True), user("bob", "b" * 40))
    assert [(outcome.fate, outcome.tokens) for outcome in again] == [(AccountFate.THERE, 1), (AccountFate.THERE, 0)]
    assert [owner(sessions, key * 40) for key in "abc"] == [None, None, "ada"]
    assert service.authenticate(sessions, "ada", "another one").role is Role.USER


def test_an_account_that_was_switched_off_there_already_is_no_news(sessions: sessionmaker[Session]) -> None:
    off = user("off", "a" * 40, is_active=False)
    assert [outcome.fate for outcome in take(sessions, off)] == [AccountFate.MADE]
    assert [(outcome.fate, outcome.reason) for outcome in take(sessions, off)] == [(AccountFate.THERE, "")]
    switched_on = take(sessions, user("off", "a" * 40))
    assert "switched off" in switched_on[0].reason


def test_no_token_lets_in_somebody_who_may_less(sessions: sessionmaker[Session]) -> None:
    with write(sessions) as session:
        service.create_user(session, "admin", "ours alone", role=Role.SUPERUSER)
        service.create_user(session, "equal", "ours alone", role=Role.STAFF)
    done = take(
        sessions,
        user("admin", "a" * 40, is_staff=True),
        user("equal", "b" * 40, is_staff=True),
    )
    assert [outcome.fate for outcome in done] == [AccountFate.LEFT, AccountFate.JOINED]
    assert [owner(sessions, key * 40) for key in "ab"] == [None, "equal"]
    off = take(sessions, user("equal", "c" * 40, is_staff=True, is_active=False))
    assert (off[0].fate, owner(sessions, "c" * 40)) == (AccountFate.THERE, None)
    assert service.authenticate(sessions, "equal", "ours alone").role is Role.STAFF
