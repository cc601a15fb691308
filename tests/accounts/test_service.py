from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts import service
from shared.accounts.account import Role
from shared.accounts.models import User
from shared.database import read, write
from shared.errors import AccountExistsError, BadAccountError, BadCredentialsError, LastSuperuserError

Sessions = sessionmaker[Session]


def test_an_account_is_found_by_name_and_password(sessions: Sessions) -> None:
    with write(sessions) as session:
        made = service.create_user(session, "ada", "secret words")
    assert service.authenticate(sessions, "ada", "secret words") == made
    assert made.role is Role.USER
    with read(sessions) as session:
        user = service.find_user(session, "ada")
        assert user is not None
        assert user.last_login is not None
        assert "secret words" not in user.password_hash


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", "wrong"),
        ("ada", ""),
        ("Ada", "secret words"),
        ("ada ", "secret words"),
        ("nobody", "secret words"),
        ("", "secret words"),
        ("a" * 1_000_000, "secret words"),
        ("ada", "s" * 10_000_000),
        ("\ud800", "secret words"),
        ("ada\0", "secret words"),
        ("' OR 1=1 --", "secret words"),
    ],
)
def test_wrong_ones_are_refused_alike(sessions: Sessions, username: str, password: str) -> None:
    with write(sessions) as session:
        service.create_user(session, "ada", "secret words")
    with pytest.raises(BadCredentialsError) as caught:
        service.authenticate(sessions, username, password)
    assert str(caught.value) == ""


def test_an_account_that_is_off_is_refused(sessions: Sessions) -> None:
    with write(sessions) as session:
        service.create_user(session, "ada", "secret words")
        user = service.find_user(session, "ada")
        assert user is not None
        service.set_active(session, user, active=False)
    with pytest.raises(BadCredentialsError):
        service.authenticate(sessions, "ada", "secret words")


@pytest.mark.parametrize(
    ("role", "staff", "superuser"),
    [(Role.USER, False, False), (Role.STAFF, True, False), (Role.SUPERUSER, True, True)],
)
def test_roles_contain_those_before_them(sessions: Sessions, role: Role, staff: bool, superuser: bool) -> None:
    with write(sessions) as session:
        account = service.create_user(session, "ada", "secret words", role=role)
    assert (account.may(Role.USER), account.may(Role.STAFF), account.may(Role.SUPERUSER)) == (True, staff, superuser)
    assert service.authenticate(sessions, "ada", "secret words").role is role


@pytest.mark.parametrize("username", ["", "a b", "a\n", "a/b", "a" * 151, "\ud800", "a\0"])
def test_an_impossible_name_is_refused(sessions: Sessions, username: str) -> None:
    with pytest.raises(BadAccountError), write(sessions) as session:
        service.create_user(session, username, "secret words")


def test_names_that_look_alike_are_one(sessions: Sessions) -> None:
    with write(sessions) as session:
        service.create_user(session, "\u212bngstrom", "secret words")
    with pytest.raises(AccountExistsError), write(sessions) as session:
        service.create_user(session, "\u00c5ngstrom", "another one")
    assert service.authenticate(sessions, "A\u030angstrom", "secret words").username == "\u00c5ngstrom"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_any_text_as_a_name_finds_nobody(sessions: Sessions, username: str) -> None:
    with read(sessions) as session:
        assert service.find_user(session, username) is None


def test_a_login_renews_a_hash_of_older_parameters(sessions: Sessions) -> None:
    with write(sessions) as session:
        service.create_user(session, "ada", "secret words")
        user = service.find_user(session, "ada")
        assert user is not None
        user.password_hash = old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("secret words")
    service.authenticate(sessions, "ada", "secret words")
    with read(sessions) as session:
        user = service.find_user(session, "ada")
        assert user is not None
        assert user.password_hash != old
    service.authenticate(sessions, "ada", "secret words")


def test_the_first_admin_gets_the_password_that_was_set(sessions: Sessions) -> None:
    with write(sessions) as session:
        assert service.ensure_admin(session, "admin", "chosen one") is None
    assert service.authenticate(sessions, "admin", "chosen one").role is Role.SUPERUSER


def test_the_first_admin_gets_a_random_password_otherwise(sessions: Sessions) -> None:
    with write(sessions) as session:
        generated = service.ensure_admin(session, "admin", None)
    assert generated is not None
    assert len(generated) >= 24
    assert service.authenticate(sessions, "admin", generated).may(Role.SUPERUSER)


def test_an_admin_that_exists_is_never_changed(sessions: Sessions) -> None:
    with write(sessions) as session:
        service.create_user(session, "admin", "first one")
    for password in ("second", None):
        with write(sessions) as session:
            assert service.ensure_admin(session, "admin", password) is None
    assert service.authenticate(sessions, "admin", "first one").role is Role.USER


def test_one_of_many_starts_at_once_makes_the_admin(sessions: Sessions) -> None:
    def start(_: int) -> str | None:
        with write(sessions) as session:
            return service.ensure_admin(session, "admin", None)

    with ThreadPoolExecutor(4) as pool:
        generated = [password for password in pool.map(start, range(8)) if password]
    assert len(generated) == 1
    service.authenticate(sessions, "admin", generated[0])
    with read(sessions) as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_a_new_password_replaces_the_old_one(sessions: Sessions) -> None:
    with write(sessions) as session:
        service.create_user(session, "ada", "old words")
        user = service.find_user(session, "ada")
        assert user is not None
        service.set_password(session, user, "new words")
    service.authenticate(sessions, "ada", "new words")
    with pytest.raises(BadCredentialsError):
        service.authenticate(sessions, "ada", "old words")


def test_accounts_are_listed_by_name(sessions: Sessions) -> None:
    with write(sessions) as session:
        for name in ("grace", "ada"):
            service.create_user(session, name, "secret words")
    with read(sessions) as session:
        assert [user.username for user in service.list_users(session)] == ["ada", "grace"]


def make_superusers(sessions: Sessions, *names: str) -> None:
    with write(sessions) as session:
        for name in names:
            service.create_user(session, name, "secret words", role=Role.SUPERUSER)


def let_go(sessions: Sessions, name: str, way: str) -> None:
    with write(sessions) as session:
        user = service.find_user(session, name)
        assert user is not None
        if way == "off":
            service.set_active(session, user, active=False)
        else:
            service.set_role(session, user, Role[way])


@pytest.mark.parametrize("way", ["off", "USER", "STAFF"])
def test_the_last_active_superuser_stays(sessions: Sessions, way: str) -> None:
    make_superusers(sessions, "ada", "grace")
    let_go(sessions, "grace", way)
    with pytest.raises(LastSuperuserError, match="ada is the last active superuser"):
        let_go(sessions, "ada", way)
    assert service.authenticate(sessions, "ada", "secret words").role is Role.SUPERUSER
    let_go(sessions, "grace", "off")
    let_go(sessions, "ada", "SUPERUSER")


def test_no_two_superusers_let_each_other_go_at_once(any_sessions: Sessions) -> None:
    make_superusers(any_sessions, "ada", "grace")

    begun = Barrier(2)

    def go(name: str) -> bool:
        begun.wait(10)
        try:
            let_go(any_sessions, name, "USER")
        except LastSuperuserError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, ["ada", "grace"])) == [False, True]


@pytest.mark.parametrize("role", list(Role))
def test_a_role_takes_the_place_of_another(sessions: Sessions, role: Role) -> None:
    make_superusers(sessions, "ada", "grace")
    let_go(sessions, "grace", role.name)
    assert service.authenticate(sessions, "grace", "secret words").role is role


@pytest.mark.parametrize("password", ["", "x", "7 chars", "p" * 1025, "surrogate \ud800"])
def test_passwords_that_are_too_short_or_impossible_are_refused(sessions: Sessions, password: str) -> None:
    with pytest.raises(BadAccountError, match="8 to 1024 characters"), write(sessions) as session:
        service.create_user(session, "ada", password)
    make_superusers(sessions, "grace")
    with write(sessions) as session:
        user = service.find_user(session, "grace")
        assert user is not None
        with pytest.raises(BadAccountError, match="8 to 1024 characters"):
            service.set_password(session, user, password)
    service.authenticate(sessions, "grace", "secret words")


def test_a_short_password_of_older_days_still_lets_in(sessions: Sessions) -> None:
    make_superusers(sessions, "ada")
    with write(sessions) as session:
        user = service.find_user(session, "ada")
        assert user is not None
        user.password_hash = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("x")
    for _ in range(2):
        service.authenticate(sessions, "ada", "x")
