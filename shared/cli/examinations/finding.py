"""A finding of the doctor's."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Verdict", "note", "ok", "wrong"]


class Verdict(StrEnum):
    """Whether an operator has to do something: no, perhaps, yes."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a part of the archive, and what to do where it is not well."""

    part: str
    verdict: Verdict
    words: str


def ok(part: str, words: str) -> Finding:
    """Return that a part is well."""
    return Finding(part, Verdict.OK, words)


def note(part: str, words: str) -> Finding:
    """Return what an operator should know."""
    return Finding(part, Verdict.NOTE, words)


def wrong(part: str, words: str) -> Finding:
    """Return what keeps the archive from its work."""
    return Finding(part, Verdict.WRONG, words)
