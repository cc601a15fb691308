"""What a writer may believe that the store holds: the last write that was acknowledged, and what was tried since."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["EMPTY", "Belief", "Verdict", "judge_store"]

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of no bytes."""


@dataclass(slots=True)
class Belief:
    """Contents of one key by their SHA-256; None stands for no object."""

    acknowledged: str | None = None
    tried: set[str | None] = field(default_factory=set)

    def is_told(self, content: str | None) -> None:
        """Take the store at its word."""
        self.acknowledged = content
        self.tried.clear()

    def is_unsure(self, content: str | None) -> None:
        """Note a request that got no answer, or none that is clear: it may have come true, or may yet."""
        self.tried.add(content)


@dataclass(slots=True)
class Verdict:
    """Keys by what the store made of the writer's requests."""

    kept: list[str] = field(default_factory=list)
    unacknowledged: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def judge_store(beliefs: Mapping[str, Belief], stored: Mapping[str, str]) -> Verdict:
    """Compare what the writer believes with what the bucket holds. Whatever differs, differs for the store's reasons.

    ``lost`` are keys whose last acknowledged write is not what they hold, and nothing that was tried since either.
    """
    verdict = Verdict()
    for key in sorted(beliefs.keys() | stored.keys()):
        belief, content = beliefs.get(key, Belief()), stored.get(key)
        if content == belief.acknowledged:
            verdict.kept.append(key)
        elif content == EMPTY and EMPTY in belief.tried:
            verdict.emptied.append(key)
        elif content in belief.tried:
            verdict.unacknowledged.append(key)
        else:
            verdict.lost.append(key)
    return verdict
