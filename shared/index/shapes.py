"""Shapes of basenames: what is left of them when numbers are taken out. Pure functions of folded texts.

Millions of frames share some thousands of shapes, so that most parts of a basename are looked for among those. A number
is a run of three digits or more: dates and running numbers, hardly ever the name of a telescope or a camera.
"""

import re
from dataclasses import dataclass
from itertools import product

__all__ = ["NUMBER", "Sought", "name_shape", "sought"]

NUMBER = "\ufffe"
"""What stands for a number in a shape; no character, so that names hardly ever have it."""

_SHORTEST = 3
_RUN = re.compile(r"[0-9]+")
_NUMBER = re.compile(f"[0-9]{{{_SHORTEST},}}")


@dataclass(frozen=True, slots=True)
class Sought:
    """How a part of a basename is looked for among shapes.

    A basename whose shape has ``sure`` in it has the part in it. If its shape has none of ``possible`` either, it has
    not. None, where every shape must be taken for possible.
    """

    sure: str | None
    possible: tuple[str, ...] | None


def name_shape(folded: str) -> str | None:
    """Return the shape of a folded basename; None for a name that has no clear one.

    >>> name_shape("kb24-20210503-0042-e91") == f"kb24-{NUMBER}-{NUMBER}-e91"
    True
    """
    return None if NUMBER in folded else _NUMBER.sub(NUMBER, folded)


def sought(part: str) -> Sought:
    """Return how a folded part of basenames is looked for.

    A run of digits within the part is a whole run of the name. One at its end may be a piece of a longer run, which may
    be a number though the piece is short.
    """
    if NUMBER in part:
        return Sought(None, None)
    pieces: list[tuple[str, ...]] = []
    end = 0
    for run in _RUN.finditer(part):
        pieces.append((part[end : run.start()],))
        is_number = len(run[0]) >= _SHORTEST
        is_whole = run.start() > 0 and run.end() < len(part)
        pieces.append((NUMBER,) if is_number else (run[0],) if is_whole else (run[0], NUMBER))
        end = run.end()
    pieces.append((part[end:],))
    ways = dict.fromkeys("".join(way) for way in product(*pieces))
    possible = tuple(way for way in ways if NUMBER in way)
    return Sought(part if part in ways else None, None if NUMBER in possible else possible)
