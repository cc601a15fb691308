"""Accounts, tokens and sessions as lists, on both kinds of database."""

import dataclasses
import datetime as dt

from sqlalchemy.orm import Session, sessionmaker

from shared.accounts.account import Role
from shared.accounts.listing import find_account, page_of_accounts, page_of_sessions, page_of_tokens
from shared.accounts.service import create_user
from shared.accounts.sessions import end_session, find_by_session, open_session
from shared.accounts.tokens import issue_token, revoke_token
from shared.database import read, write

Sessions = sessionmaker[Session]
HOUR = dt.timedelta(hours=1)


def test_lists_are_searched_in_pages_and_show_no_digest(any_sessions: Sessions) -> None:
    with write(any_sessions) as session:
        accounts = [create_user(session, name, "secret words", role=Role.STAFF) for name in ("Ada", "a_b", "grace")]
        for number in range(3):
            issue_token(session, accounts[0], f"token {number}")
            open_session(session, accounts[2], HOUR * (number + 1))
        open_session(session, accounts[0], -HOUR)
    with read(any_sessions) as session:
        count, rows = page_of_accounts(session, limit=2, offset=1)
        assert (count, len(rows)) == (3, 2)
        found = page_of_accounts(session, part="ADA", limit=9)[1]
        assert [(row.username, row.role, row.tokens, row.sessions) for row in found] == [("Ada", Role.STAFF, 3, 0)]
        assert find_account(session, found[0].id) == found[0]
        assert find_account(session, 2**40) is None
        assert [page_of_accounts(session, part=part, limit=9)[0] for part in ("_", "%", "a", "x")] == [1, 0, 3, 0]
        count, tokens = page_of_tokens(session, part="ad", limit=2)
        assert (count, [token.name for token in tokens]) == (3, ["token 0", "token 1"])
        count, opened = page_of_sessions(session, limit=2)
        assert (count, [one.username for one in opened]) == (3, ["grace", "grace"])
        assert opened[0].id > opened[1].id
        shown = {field.name for row in (found[0], tokens[0], opened[0]) for field in dataclasses.fields(row)}
    assert not shown & {"password_hash", "digest"}


def test_one_session_ends_alone(any_sessions: Sessions) -> None:
    with write(any_sessions) as session:
        account = create_user(session, "ada", "secret words")
        keys = [open_session(session, account, HOUR) for _ in range(2)]
        newest = page_of_sessions(session, limit=1)[1][0]
        assert end_session(session, newest.id)
        assert not end_session(session, newest.id)
        assert not any(end_session(session, number) or revoke_token(session, number) for number in (-1, 2**63 - 1))
        assert [find_by_session(session, key) for key in keys] == [account, None]
