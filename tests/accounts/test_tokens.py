import datetime as dt
import hashlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts import service, tokens
from shared.accounts.account import Account
from shared.accounts.models import Token, User
from shared.database import read, utc_now, write
from shared.errors import BadTokenError, InactiveAccountError

Sessions = sessionmaker[Session]


@pytest.fixture
def ada(sessions: Sessions) -> Account:
    with write(sessions) as session:
        return service.create_user(session, "ada", "secret words")


def test_a_key_stands_for_its_account(sessions: Sessions, ada: Account) -> None:
    with write(sessions) as session:
        key = tokens.issue_token(session, ada, "login")
    assert re.fullmatch("[0-9a-f]{40}", key)
    with read(sessions) as session:
        account, token = tokens.find_by_token(session, key)
        assert account == ada
        assert token.digest == hashlib.sha256(key.encode()).hexdigest()
        everything = str([vars(row) for row in session.scalars(select(Token))])
    assert key not in everything


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=60), st.from_regex("[0-9a-fA-F]{38,42}", fullmatch=True)))
def test_any_other_key_is_nobodys(sessions: Sessions, key: str) -> None:
    with read(sessions) as session, pytest.raises(BadTokenError):
        tokens.find_by_token(session, key)


def test_the_key_of_an_account_that_is_off_is_told_apart(sessions: Sessions, ada: Account) -> None:
    with write(sessions) as session:
        key = tokens.issue_token(session, ada, "login")
        user = service.find_user(session, "ada")
        assert user is not None
        service.set_active(session, user, active=False)
    with read(sessions) as session, pytest.raises(InactiveAccountError):
        tokens.find_by_token(session, key)


def test_a_revoked_key_is_nobodys(sessions: Sessions, ada: Account) -> None:
    with write(sessions) as session:
        key, other = (tokens.issue_token(session, ada, name) for name in ("one", "two"))
        _, token = tokens.find_by_token(session, key)
        assert tokens.revoke_token(session, token.id)
        assert not tokens.revoke_token(session, token.id)
    with read(sessions) as session:
        with pytest.raises(BadTokenError):
            tokens.find_by_token(session, key)
        assert tokens.find_by_token(session, other)[0] == ada


def test_keys_go_with_their_account(sessions: Sessions, ada: Account) -> None:
    with write(sessions) as session:
        key = tokens.issue_token(session, ada, "login")
        session.delete(session.get_one(User, ada.id))
    with read(sessions) as session:
        with pytest.raises(BadTokenError):
            tokens.find_by_token(session, key)
        assert session.scalar(select(func.count()).select_from(Token)) == 0


def test_the_use_of_a_key_is_known_to_the_hour(sessions: Sessions, ada: Account) -> None:
    with write(sessions) as session:
        key = tokens.issue_token(session, ada, "login")
        _, token = tokens.find_by_token(session, key)
        assert not tokens.used_lately(token)
        tokens.record_use(session, token)
    with write(sessions) as session:
        _, token = tokens.find_by_token(session, key)
        assert tokens.used_lately(token)
        token.last_used = utc_now() - dt.timedelta(hours=2)
        assert not tokens.used_lately(token)


def test_the_key_that_was_not_used_for_longest_gives_way(sessions: Sessions, ada: Account) -> None:
    with write(sessions) as session:
        keys = [tokens.issue_token(session, ada, f"t{n}") for n in range(tokens.MAX_TOKENS)]
        _, oldest = tokens.find_by_token(session, keys[0])
        tokens.record_use(session, oldest)
        newest = tokens.issue_token(session, ada, "new")
        user = session.get_one(User, ada.id)
        assert len(tokens.list_tokens(session, user)) == tokens.MAX_TOKENS
        for key in (keys[0], keys[2], newest):
            assert tokens.find_by_token(session, key)[0] == ada
        with pytest.raises(BadTokenError):
            tokens.find_by_token(session, keys[1])


def test_a_long_name_is_cut(sessions: Sessions, ada: Account) -> None:
    with write(sessions) as session:
        tokens.issue_token(session, ada, "n" * 1000)
        user = session.get_one(User, ada.id)
        assert [token.name for token in tokens.list_tokens(session, user)] == ["n" * 100]
