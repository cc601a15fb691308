"""`fitsvault user` and `fitsvault token`, seen from the API."""

import httpx
import pytest

from tests.archive import RunningArchive
from tests.cli.conftest import Run


def log_in(archive: RunningArchive, name: str, password: str) -> httpx.Response:
    form = {"username": name, "password": password}
    return httpx.post(f"{archive.url}/api-token-auth/", data=form, timeout=30, trust_env=False)


def status(archive: RunningArchive, key: str) -> int:
    headers = {"Authorization": f"Token {key}"}
    return httpx.get(f"{archive.url}/frames/?limit=1", headers=headers, timeout=30, trust_env=False).status_code


def test_an_account_from_its_making_to_its_end(archive: RunningArchive, run: Run) -> None:
    made = run("user", "add", "--role", "staff", "--password-stdin", "cli-anna", typed="first secret\n")
    assert (made.code, made.out) == (0, "cli-anna is staff\n"), made
    assert log_in(archive, "cli-anna", "first secret").status_code == 200
    assert run("user", "passwd", "cli-anna", "--password-stdin", typed="second secret\n").code == 0
    assert log_in(archive, "cli-anna", "first secret").status_code == 400
    key = run("token", "new", "cli-anna", "--name", "a script").out.strip()
    assert (len(key), status(archive, key)) == (40, 200)
    assert run("user", "deactivate", "cli-anna").code == 0
    assert status(archive, key) == 401
    listed = next(line for line in run("user", "list").out.splitlines() if line.startswith("cli-anna "))
    assert "staff" in listed
    assert "inactive" in listed
    assert run("token", "new", "cli-anna").code == 1
    assert run("user", "activate", "cli-anna").code == 0
    assert status(archive, key) == 200


def test_tokens_are_listed_without_keys_and_revoked(archive: RunningArchive, run: Run) -> None:
    run("user", "add", "--password-stdin", "cli-bert", typed="secret words\n")
    keys = [run("token", "new", "cli-bert", "--name", name).out.strip() for name in ("one", "two", "three")]
    listed = run("token", "list", "cli-bert").out
    assert not any(key in listed for key in keys)
    first = next(line.split()[0] for line in listed.splitlines() if " one " in line)
    assert run("token", "revoke", first).out == "1 revoked\n"
    assert [status(archive, key) for key in keys] == [401, 200, 200]
    again = run("token", "revoke", first)
    assert (again.code, f"no token has the id {first}" in again.err) == (1, True)
    assert run("token", "revoke", "--all-of", "cli-bert").out == "2 revoked\n"
    assert [status(archive, key) for key in keys] == [401] * 3


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("user", "add", "cli-nobody"), 2, "use --password-stdin"),
        (("user", "add", "--password-stdin", "with blank"), 1, "A user name has"),
        (("user", "add", "--password-stdin", "admin"), 1, "There is an account admin already"),
        (("user", "add", "--password-stdin", "--role", "king", "cli-nobody"), 2, "no such role"),
        (("user", "passwd", "--password-stdin", "cli-nobody"), 1, "no account has the name"),
        (("user", "deactivate", "cli-nobody"), 1, "no account has the name"),
        (("token", "new", "cli-nobody"), 1, "no account has the name"),
        (("token", "revoke"), 2, "give ids"),
    ],
)
def test_what_cannot_be_is_told(run: Run, words: tuple[str, ...], code: int, reason: str) -> None:
    done = run(*words, typed="a secret\n")
    assert (done.code, reason in done.err) == (code, True), done
    assert "a secret" not in done.err + done.out


def test_the_last_superuser_and_short_passwords_are_refused(run: Run) -> None:
    done = run("user", "deactivate", "admin")
    assert (done.code, "admin is the last active superuser" in done.err) == (1, True), done
    for words in (("add", "cli-short"), ("passwd", "admin")):
        refused = run("user", words[0], "--password-stdin", words[1], typed="7 chars\n")
        assert (refused.code, "8 to 1024 characters" in refused.err) == (1, True), refused


def test_an_empty_password_is_none(run: Run) -> None:
    assert run("user", "add", "--password-stdin", "cli-nobody", typed="\n").code == 2
