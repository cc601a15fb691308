"""Passwords that come from a Django archive: the same ones match, and the first login renews their hashes."""

import base64
import hashlib
import time
import timeit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session, sessionmaker

from shared.accounts import passwords, service
from shared.accounts.pbkdf2 import MAX_ROUNDS, Pbkdf2Hash
from shared.database import read, write
from shared.errors import BadCredentialsError

Sessions = sessionmaker[Session]

# From Django's own tests of its hashers: `PBKDF2PasswordHasher().encode("lètmein", "seasalt", 10000)`.
DJANGOS = "pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY="


def encode(password: str, rounds: int = 10, salt: str = "salt") -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), rounds)
    return f"pbkdf2_sha256${rounds}${salt}${base64.b64encode(digest).decode()}"


def test_a_hash_that_django_made_matches() -> None:
    assert passwords.check_password(DJANGOS, "lètmein")
    assert not passwords.check_password(DJANGOS, "letmein")
    assert passwords.needs_rehash(DJANGOS)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50), st.integers(1, 50))
def test_its_own_password_matches(password: str, rounds: int) -> None:
    found = Pbkdf2Hash.from_string(encode(password, rounds))
    assert found is not None
    assert found.rounds == rounds
    assert found.matches(password)
    assert not found.matches(password + "x")


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "!unusable",
        "pbkdf2_sha256$",
        "pbkdf2_sha256$10$salt$short=",
        encode("p").replace("$10$", "$0$"),
        encode("p").replace("$10$", "$-1$"),
        encode("p").replace("$10$", f"${MAX_ROUNDS + 1}$"),
        encode("p").replace("$salt$", "$$"),
        encode("p").replace("sha256", "sha1"),
        encode("p") + "\n",
    ],
)
def test_what_is_no_such_hash(encoded: str) -> None:
    assert Pbkdf2Hash.from_string(encoded) is None
    assert not passwords.check_password(encoded, "p")


def test_every_check_takes_as_long_while_such_hashes_are_left() -> None:
    rounds = 400_000
    kinds = [encode("p", rounds), encode("p", 1000), passwords.hash_password("p"), "!"]

    def seconds(encoded: str) -> float:
        """Return the processor's time, which other programs on the machine do not lengthen."""

        def check() -> object:
            return passwords.check_password(encoded, "q", rounds)

        return min(timeit.repeat(check, number=1, repeat=5, timer=time.process_time))

    taken = [seconds(encoded) for encoded in kinds]
    assert min(taken) > max(taken) / 2


def test_a_login_renews_a_hash_of_django(sessions: Sessions) -> None:
    with write(sessions) as session:
        for name in ("ada", "off"):
            service.create_user(session, name, "another one")
            user = service.find_user(session, name)
            assert user is not None
            user.password_hash = encode("secret words", 1000)
            user.is_active = name == "ada"
    for name, password in (("ada", "other"), ("ada", "x"), ("off", "secret words"), ("nobody", "secret words")):
        with pytest.raises(BadCredentialsError):
            service.authenticate(sessions, name, password)
    for _ in range(2):
        assert service.authenticate(sessions, "ada", "secret words").username == "ada"
    with read(sessions) as session:
        user = service.find_user(session, "ada")
        assert user is not None
        assert user.password_hash.startswith("$argon2id$")
