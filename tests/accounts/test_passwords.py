import threading
import time
import timeit
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.accounts import passwords
from shared.errors import BadAccountError


def test_a_password_matches_its_own_hash_only() -> None:
    encoded = passwords.hash_password("correct horse")
    assert encoded.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.check_password(encoded, "correct horse")
    assert not passwords.check_password(encoded, "correct horsf")


def test_equal_passwords_have_different_hashes() -> None:
    assert passwords.hash_password("same") != passwords.hash_password("same")


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_hashed_or_refused(text: str) -> None:
    try:
        encoded = passwords.hash_password(text)
    except BadAccountError:
        assert text == "" or any("\ud800" <= character <= "\udfff" for character in text)
    else:
        assert passwords.check_password(encoded, text)


@pytest.mark.parametrize("password", ["", "x" * 1025, "x" * 10_000_000, "\ud800"])
def test_an_impossible_password_is_refused_without_hashing(password: str) -> None:
    encoded = passwords.hash_password("y")
    start = time.perf_counter()
    with pytest.raises(BadAccountError):
        passwords.hash_password(password)
    assert not passwords.check_password(encoded, password)
    assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize("encoded", ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$broken", "pbkdf2_sha256$1$a$b"])
def test_a_broken_hash_matches_nothing(encoded: str) -> None:
    assert not passwords.check_password(encoded, "anything")


def test_a_hash_of_older_parameters_is_noticed() -> None:
    assert not passwords.needs_rehash(passwords.hash_password("p"))
    assert passwords.needs_rehash(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("p"))


def test_the_check_for_nobody_costs_what_a_real_one_costs() -> None:
    assert not passwords.needs_rehash(passwords._NOBODY)
    assert not passwords.check_password(passwords._NOBODY, "p")
    encoded = passwords.hash_password("p")

    def best(check: Callable[[], object]) -> float:
        return min(timeit.repeat(check, number=1, repeat=5, timer=time.process_time))

    real, nobody = best(lambda: passwords.check_password(encoded, "q")), best(lambda: passwords.reject_password("q"))
    assert nobody > real / 3


def test_no_more_than_a_few_are_hashed_at_once() -> None:
    for _ in range(4):
        passwords._hashing.acquire()
    try:
        done = threading.Event()

        def hash_one() -> None:
            passwords.hash_password("p")
            done.set()

        thread = threading.Thread(target=hash_one)
        thread.start()
        assert not done.wait(0.3)
    finally:
        for _ in range(4):
            passwords._hashing.release()
    thread.join(10)
    assert done.is_set()
