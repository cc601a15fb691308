"""Filters as words of the command line: ``OBJECT="M 51"``, ``--OBJECT "M 51"`` or ``--OBJECT=M51``. Pure."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["FILTERS", "PAGING", "BadFilterError", "Words", "parse_words"]

FILTERS = (
    "IMAGETYPE",
    "SITE",
    "TELESCOPE",
    "INSTRUMENT",
    "FILTER",
    "binning",
    "RLEVEL",
    "OBJECT",
    "basename",
    "EXPTIME",
    "night",
    "REQNUM",
    "OBSNUM",
    "start",
    "end",
    "RA",
    "DEC",
    "radius",
    "undated",
)
"""What chooses frames: the parameters of ``/frames/``."""

PAGING = ("sort", "order", "offset")
"""What orders them."""

_MOST_DIGITS = 19
_NAMES = {name.lower(): name for name in (*FILTERS, *PAGING)}


class BadFilterError(ValueError):
    """A word that is no filter. The archive would ignore it, and answer with more than was asked for."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of a command line ask for: frames by id, frames by filter."""

    ids: tuple[int, ...]
    filters: dict[str, str]


def parse_words(words: Sequence[str]) -> Words:
    """Return ids and filters; names in any case.

    >>> parse_words(["12", "--object", "M 51", "night=2026-11-21"])
    Words(ids=(12,), filters={'OBJECT': 'M 51', 'night': '2026-11-21'})

    Raises
    ------
    BadFilterError
        A word is neither an id nor a filter, a filter has no value, or a position is not whole.
    """
    ids: list[int] = []
    filters: dict[str, str] = {}
    remaining = iter(words)
    for word in remaining:
        if word.isascii() and word.isdecimal() and len(word) <= _MOST_DIGITS:
            ids.append(int(word))
        else:
            name, value = _pair(word, remaining)
            if any(0xD800 <= ord(character) < 0xE000 for character in value):
                raise BadFilterError(f"the value of {name} is no text")
            filters[_known(name)] = value
    if filters.keys() & {"RA", "DEC", "radius"} and not {"RA", "DEC"} <= filters.keys():
        raise BadFilterError("a position needs both RA and DEC")
    return Words(tuple(dict.fromkeys(ids)), filters)


def _pair(word: str, following: Iterator[str]) -> tuple[str, str]:
    name, equals, value = word.removeprefix("--").partition("=")
    if equals:
        return name, value
    if not word.startswith("--"):
        raise BadFilterError(f"neither an id nor a filter: {word}")
    try:
        return name, next(following)
    except StopIteration:
        raise BadFilterError(f"{word} needs a value") from None


def _known(name: str) -> str:
    known = _NAMES.get(name.lower())
    if known is None:
        if name.lower() == "limit":
            raise BadFilterError(f"limit is an option: --limit and a number, not {name}=…")
        near = difflib.get_close_matches(name.lower(), _NAMES, n=1)
        hint = f"; did you mean {_NAMES[near[0]]}?" if near else f"; there are {', '.join(_NAMES.values())}"
        raise BadFilterError(f"no filter is called {name}{hint}")
    return known
