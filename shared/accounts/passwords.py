"""Passwords: hashed with Argon2id, checked in a time that tells nothing, a bounded number at once."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.accounts.pbkdf2 import Pbkdf2Hash, spend_rounds
from shared.errors import BadAccountError

__all__ = [
    "MAX_PASSWORD",
    "MIN_PASSWORD",
    "check_password",
    "hash_new_password",
    "hash_password",
    "needs_rehash",
    "reject_password",
]

MIN_PASSWORD = 8
"""Characters of a new password, at least; older ones, and those of other archives, stay as they are."""

MAX_PASSWORD = 1024
_MAX_AT_ONCE = 4
_RULE = f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters."

# 19 MiB, two passes, one lane: OWASP Password Storage Cheat Sheet, "Argon2id".
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$CkUfHQathUxVzzSvlTuTSA$4yujtUofBhULY0b8CegjKsbVF91GA5OKp0QWgxhzcTM"

_hashing = threading.BoundedSemaphore(_MAX_AT_ONCE)


def hash_new_password(password: str) -> str:
    """Return the encoded hash of a password that somebody chose just now.

    Raises
    ------
    BadAccountError
        The password is shorter than 8 characters, longer than 1024 or not Unicode text.
    """
    if len(password) < MIN_PASSWORD:
        raise BadAccountError(_RULE)
    return hash_password(password)


def hash_password(password: str) -> str:
    """Return the encoded hash of a password.

    Raises
    ------
    BadAccountError
        The password is empty, longer than 1024 characters or not Unicode text.
    """
    if not _is_hashable(password):
        raise BadAccountError(_RULE)
    with _hashing:
        return _HASHER.hash(password)


def check_password(encoded: str, password: str, rounds: int = 0) -> bool:
    """Return whether ``password`` is the one that ``encoded`` was made from. An impossible one is not hashed.

    Parameters
    ----------
    rounds
        The most PBKDF2 rounds that any account's hash asks for. Every check takes as long as one with that many, so
        that its time does not tell whose hash came from another archive.
    """
    if not _is_hashable(password):
        return False
    foreign = Pbkdf2Hash.from_string(encoded)
    with _hashing:
        if foreign is None:
            spend_rounds(password, rounds)
            return _verify(encoded, password)
        _verify(_NOBODY, password)
        spend_rounds(password, rounds - foreign.rounds)
        return foreign.matches(password)


def reject_password(password: str, rounds: int = 0) -> None:
    """Take the time that a check takes, for a name that nobody has."""
    check_password(_NOBODY, password, rounds)


def needs_rehash(encoded: str) -> bool:
    """Return whether ``encoded`` was made in another way, or with other parameters, than today's."""
    return Pbkdf2Hash.from_string(encoded) is not None or _HASHER.check_needs_rehash(encoded)


def _verify(encoded: str, password: str) -> bool:
    try:
        return _HASHER.verify(encoded, password)
    except InvalidHashError:  # an account without a password answers no sooner than others
        _verify(_NOBODY, password)
        return False
    except VerificationError:
        return False


def _is_hashable(password: str) -> bool:
    return 0 < len(password) <= MAX_PASSWORD and not any("\ud800" <= character <= "\udfff" for character in password)
