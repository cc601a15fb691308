"""`fitsvault export` and `fitsvault import`."""

import datetime as dt
import json
import os
from pathlib import Path

import pytest

from shared.accounts.service import authenticate, list_users
from shared.accounts.tokens import find_by_token
from shared.accounts.transfer import parse_accounts
from shared.database import make_engine, make_session_factory, read
from shared.migrations import upgrade
from shared.settings import settings
from tests.cli.conftest import Run


@pytest.fixture
def other_home(tmp_path: Path) -> Path:
    """An archive that is not running, with empty tables, that further commands are for."""
    home = tmp_path / "other"
    engine = make_engine(f"sqlite:///{home / 'index.sqlite'}")
    upgrade(engine)
    engine.dispose()
    return home


def test_accounts_move_to_another_archive(
    run: Run, other_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("user", "add", "--role", "staff", "--password-stdin", "moving", typed="a secret\n")
    run("user", "add", "--password-stdin", "asleep", typed="a secret\n")
    run("user", "deactivate", "asleep")
    key = run("token", "new", "moving").out.strip()
    file = tmp_path / "accounts.jsonl"
    done = run("export", str(file))
    assert done.code == 0, done
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert key not in text
    assert "a secret" not in text
    assert run("export", str(file)).code == 2
    assert run("export", "--overwrite", str(file)).code == 0
    assert run("export", "-").out == text
    monkeypatch.setenv("FITSVAULT_HOME", str(other_home))
    settings.cache_clear()
    count, tokens = len(text.splitlines()), sum(len(json.loads(line)["tokens"]) for line in text.splitlines())
    first, second = run("import", str(file)), run("import", str(file))
    assert first.out == f"{count} accounts and {tokens} tokens made, 0 accounts were there\n"
    assert second.out == f"0 accounts and 0 tokens made, {count} accounts were there\n"
    assert run("export", "-").out == text
    engine = make_engine(f"sqlite:///{other_home / 'index.sqlite'}")
    sessions = make_session_factory(engine)
    assert authenticate(sessions, "moving", "a secret").role.name == "STAFF"
    with read(sessions) as session:
        assert find_by_token(session, key)[0].username == "moving"
        assert not next(user for user in list_users(session) if user.username == "asleep").is_active
    engine.dispose()


ACCOUNT = {
    "username": "x",
    "password_hash": "!",
    "is_staff": False,
    "is_superuser": False,
    "is_active": True,
    "created_at": "2026-11-21T00:00:00",
}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "Line 2 is no account: JSON"),
        ("[]", "Line 2 is no account"),
        (json.dumps(ACCOUNT | {"username": "a b"}), "Line 2 is no account: username"),
        (json.dumps(ACCOUNT | {"username": "\ufb01ts"}), "Line 2 is no account: username"),
        (json.dumps(ACCOUNT | {"created_at": "0001-01-01T00:00:00+05:00"}), "Line 2 is no account: created_at"),
        (json.dumps(ACCOUNT | {"password": "plain secret"}), "Line 2 is no account: password"),
        (json.dumps(ACCOUNT | {"tokens": [{"digest": "plain secret"}]}), "tokens.0.digest"),
    ],
)
def test_a_wrong_file_changes_nothing(
    run: Run, other_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, reason: str
) -> None:
    monkeypatch.setenv("FITSVAULT_HOME", str(other_home))
    settings.cache_clear()
    file = tmp_path / "accounts.jsonl"
    file.write_text(json.dumps(ACCOUNT) + "\n" + line + "\n")
    done = run("import", str(file))
    assert (done.code, reason in done.err) == (1, True), done
    assert "plain secret" not in done.err
    assert run("export", "-").out == ""


def test_no_index_is_made_by_looking(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITSVAULT_HOME", str(tmp_path / "empty"))
    settings.cache_clear()
    done = run("user", "list")
    assert (done.code, "no index at" in done.err) == (2, True), done
    assert not os.path.lexists(tmp_path / "empty")


def test_times_of_any_zone_become_utc() -> None:
    line = json.dumps(ACCOUNT | {"created_at": "2026-11-21T05:00:00+05:00"})
    assert parse_accounts([line])[0].created_at == dt.datetime(2026, 11, 21)
