"""Wrong passwords slow down by name and by address, whoever counts."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts import login, throttle
from shared.accounts.account import Account
from shared.accounts.login import log_in
from shared.accounts.models import Throttle, User
from shared.accounts.service import create_user, find_user, set_password, verified_user
from shared.accounts.throttle import ADDRESS, FORGOTTEN_AFTER, NAME, Policy, admit, delay, forgive
from shared.database import read, utc_now, write
from shared.errors import BadCredentialsError, TooManyAttemptsError

Factory = sessionmaker[Session]


def attempt(sessions: Factory, name: str = "ada", address: str | None = "192.0.2.1") -> int:
    """Count one attempt; return 0, or the seconds to wait."""
    try:
        with write(sessions) as session:
            admit(session, name, address)
    except TooManyAttemptsError as error:
        return error.seconds
    return 0


def let_time_pass(sessions: Factory, time: dt.timedelta) -> None:
    with write(sessions) as session:
        for row in session.scalars(select(Throttle)).all():
            row.last_at -= time
            row.blocked_until -= time


@given(st.integers(0, 10**6), st.sampled_from([NAME, ADDRESS, Policy(0, 5)]))
def test_the_wait_doubles_up_to_a_bound(failures: int, policy: Policy) -> None:
    assert 0 <= delay(failures, policy) <= delay(failures + 1, policy) <= policy.longest
    assert (delay(failures, policy) == 0) == (failures <= policy.free)
    assert delay(policy.free + 1, policy) == 1


def test_a_name_waits_longer_each_time_and_from_everywhere(sessions: Factory) -> None:
    assert [attempt(sessions, address=f"192.0.2.{n}") for n in range(NAME.free + 1)] == [0] * (NAME.free + 1)
    assert 1 <= attempt(sessions, address="198.51.100.1") <= 2
    let_time_pass(sessions, dt.timedelta(seconds=2))
    assert attempt(sessions) == 0
    assert attempt(sessions) in (2, 3)
    assert attempt(sessions, "grace") == 0


def test_an_address_waits_whatever_names_it_tries(sessions: Factory) -> None:
    assert [attempt(sessions, f"n{n}") for n in range(ADDRESS.free + 1)] == [0] * (ADDRESS.free + 1)
    assert attempt(sessions, "another") > 0
    assert attempt(sessions, "another", "192.0.2.2") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
    ],
)
def test_an_address_is_what_one_customer_has(sessions: Factory, one: str, other: str, same: bool) -> None:
    for n in range(ADDRESS.free + 1):
        attempt(sessions, f"n{n}", one)
    assert (attempt(sessions, "another", other) > 0) == same


def test_quiet_time_forgets(sessions: Factory) -> None:
    for _ in range(NAME.free + 1):
        attempt(sessions)
    let_time_pass(sessions, FORGOTTEN_AFTER)
    assert [attempt(sessions) for _ in range(NAME.free)] == [0] * NAME.free


def test_a_right_password_clears_the_name_and_not_the_address(sessions: Factory) -> None:
    for n in range(ADDRESS.free):
        attempt(sessions, f"n{n}")
    attempt(sessions)
    with write(sessions) as session:
        forgive(session, "ada", "192.0.2.1")
    assert attempt(sessions) == 0
    assert attempt(sessions) > 0


def test_many_at_once_are_all_counted(sessions: Factory) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda n: attempt(sessions, address=f"192.0.2.{n}"), range(40)))
    assert waits.count(0) == NAME.free + 1


def test_what_is_kept_is_bounded(sessions: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_SUBJECTS", 20)
    for n in range(60):
        attempt(sessions, f"n{n}", None)
    with read(sessions) as session:
        assert session.scalar(select(func.count()).select_from(Throttle)) in (19, 20)
        assert "ada" not in str(session.execute(select(Throttle.__table__)).all())


@pytest.fixture
def ada(sessions: Factory) -> Factory:
    with write(sessions) as session:
        create_user(session, "ada", "secret words")
    return sessions


def name_of(_session: Session, account: Account) -> str:
    return account.username


def test_a_login_is_granted_or_refused_or_put_off(ada: Factory) -> None:
    def enter(password: str, name: str = "ada") -> str:
        return log_in(ada, name, password, address="192.0.2.1", grant=name_of)

    for name in ("ada", "nobody"):
        for _ in range(NAME.free + 1):
            with pytest.raises(BadCredentialsError):
                enter("wrong", name)
        with pytest.raises(TooManyAttemptsError) as caught:
            enter("secret words", name)
        assert caught.value.seconds in (1, 2)
    let_time_pass(ada, dt.timedelta(seconds=3))
    assert enter("secret words") == "ada"
    with pytest.raises(BadCredentialsError):
        enter("wrong")


def test_right_passwords_are_never_put_off(ada: Factory) -> None:
    for _ in range(NAME.free + 3):
        assert log_in(ada, "ada", "secret words", address="192.0.2.1", grant=name_of) == "ada"
    with read(ada) as session:
        assert session.scalars(select(Throttle.failures)).all() == [0]


def test_a_password_that_changes_meanwhile_grants_nothing(ada: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[User] = []

    def slow(sessions: Factory, username: str, password: str) -> User:
        user = verified_user(sessions, username, password)
        if not calls:
            with write(ada) as session:
                found = find_user(session, "ada")
                assert found is not None
                set_password(session, found, "another one")
        calls.append(user)
        return user

    monkeypatch.setattr(login, "verified_user", slow)
    with pytest.raises(BadCredentialsError):
        log_in(ada, "ada", "secret words", address=None, grant=name_of)
    assert len(calls) == 1


def test_the_clock_is_the_database_columns(ada: Factory) -> None:
    attempt(ada)
    with write(ada) as session:
        session.execute(update(Throttle).values(blocked_until=utc_now() + dt.timedelta(seconds=30)))
    assert 29 <= attempt(ada) <= 31
