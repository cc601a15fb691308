"""Sessions of people: begun, found, ended."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts.account import account_of
from shared.accounts.models import LoginSession
from shared.accounts.service import create_user, find_user, set_active, set_password
from shared.accounts.sessions import (
    MAX_SESSIONS,
    close_session,
    csrf_token,
    end_sessions,
    find_by_session,
    open_session,
)
from shared.database import read, utc_now, write


def begin(sessions: sessionmaker[Session], username: str = "ada") -> str:
    with write(sessions) as session:
        user = find_user(session, username)
        account = account_of(user) if user else create_user(session, username, "secret words")
        return open_session(session, account, dt.timedelta(hours=1))


def who(sessions: sessionmaker[Session], key: str) -> str | None:
    with read(sessions) as session:
        account = find_by_session(session, key)
        return account.username if account else None


def test_a_session_is_found_by_its_key_alone(sessions: sessionmaker[Session]) -> None:
    key = begin(sessions)
    assert who(sessions, key) == "ada"
    for wrong in ("", key[:-1], key + "a", key.swapcase(), "é" * 43, "a" * 43, "\udcff"):
        assert who(sessions, wrong) is None
    with read(sessions) as session:
        assert key not in str(session.execute(select(LoginSession.__table__)).all())


def test_a_session_ends_by_itself_and_is_forgotten(sessions: sessionmaker[Session]) -> None:
    key = begin(sessions)
    with write(sessions) as session:
        session.execute(update(LoginSession).values(expires_at=utc_now()))
    assert who(sessions, key) is None
    begin(sessions)
    with read(sessions) as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1


def test_a_session_can_be_closed_alone(sessions: sessionmaker[Session]) -> None:
    first, second = begin(sessions), begin(sessions)
    with write(sessions) as session:
        close_session(session, first)
        close_session(session, "nobody's")
    assert (who(sessions, first), who(sessions, second)) == (None, "ada")


def test_switch_off_and_another_password_end_all_sessions_of_that_account(sessions: sessionmaker[Session]) -> None:
    keys, other = [begin(sessions), begin(sessions)], begin(sessions, "grace")
    with write(sessions) as session:
        user = find_user(session, "ada")
        assert user is not None
        set_active(session, user, active=False)
    assert [who(sessions, key) for key in keys] == [None, None]
    with write(sessions) as session:
        user = find_user(session, "ada")
        assert user is not None
        set_active(session, user, active=True)
    assert [who(sessions, key) for key in keys] == [None, None]
    third = begin(sessions)
    with write(sessions) as session:
        user = find_user(session, "ada")
        assert user is not None
        set_password(session, user, "another one")
    assert who(sessions, third) is None
    assert who(sessions, other) == "grace"


def test_the_oldest_gives_way(sessions: sessionmaker[Session]) -> None:
    keys = [begin(sessions) for _ in range(MAX_SESSIONS + 1)]
    assert [who(sessions, key) for key in (keys[0], keys[1], keys[-1])] == [None, "ada", "ada"]
    with write(sessions) as session:
        user = find_user(session, "ada")
        assert user is not None
        end_sessions(session, user.id)
    assert who(sessions, keys[-1]) is None


KEYS = st.text(st.characters(exclude_characters="\0"))  # which an HMAC's key is padded with


@given(KEYS, KEYS)
def test_each_session_has_its_own_csrf_token(one: str, other: str) -> None:
    tokens = csrf_token(one), csrf_token(other)
    assert all(len(token) == 64 for token in tokens)
    assert (tokens[0] == tokens[1]) == (one.encode("utf-8", "replace") == other.encode("utf-8", "replace"))
