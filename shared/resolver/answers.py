"""What name resolvers answer: plain text of Sesame (CDS), or JSON. Pure."""

import json
import math
import re
from dataclasses import dataclass

from shared.errors import ResolverError, UnknownTargetError

__all__ = ["Position", "position_in"]

_SESAME_POSITION = re.compile(r"^%J[ \t]+([0-9.]+)[ \t]*([+-][0-9.]+)", re.MULTILINE)
_SESAME_LINE = re.compile(r"^[#%]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Position:
    """Right ascension and declination (ICRS, deg)."""

    ra: float
    dec: float


def position_in(body: bytes) -> Position:
    """Return the position in an answer: the first that Sesame has, or the members ``ra`` and ``dec`` (deg) of JSON.

    Sesame's format: https://vizier.cds.unistra.fr/vizier/doc/sesame.htx; a line ``%J`` has the position in degrees
    first, ``#!`` begins what is an error of one of its catalogues.

    Raises
    ------
    UnknownTargetError
        The answer is one, and has no position.
    ResolverError
        It is none that is known here.
    """
    text = body.decode(errors="replace").lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        return _in_json(text)
    found = _SESAME_POSITION.search(text)
    if found is not None:
        return _checked(float(found[1]), float(found[2])) if _are_numbers(found[1], found[2]) else _refused()
    if _SESAME_LINE.search(text) is None:
        _refused()
    raise UnknownTargetError("no position")


def _in_json(text: str) -> Position:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResolverError("its answer is no JSON") from error
    ra, dec = members.get("ra"), members.get("dec")
    if ra is None and dec is None:
        raise UnknownTargetError("no position")
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (ra, dec)):
        _refused()
    try:
        return _checked(float(ra), float(dec))
    except OverflowError:
        return _refused()


def _are_numbers(*words: str) -> bool:
    return all(re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", word) for word in words)


def _checked(ra: float, dec: float) -> Position:
    if not (math.isfinite(ra) and math.isfinite(dec) and 0 <= ra <= 360 and abs(dec) <= 90):
        _refused()
    return Position(ra % 360.0, dec)


def _refused() -> Position:
    raise ResolverError("its answer has no position that can be read")
