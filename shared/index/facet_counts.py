"""The values of each facet, with how many frames each of them would leave: what lists of options show.

Of each facet the filter's own condition is left out, so that its list shows what else could be chosen. All lists come
from one look at how many frames each combination has: a few thousand of them stand for any number of frames.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, func, select, union_all
from sqlalchemy.orm import Session

from shared.index.bounded import MOST_COUNTS, MOST_ROWS, driving, passing
from shared.index.counts import Statement, by_combination, combination_parts
from shared.index.models import Combination, Frame
from shared.index.name_counts import parts_by_name
from shared.index.scope import Scope, scope_of
from shared.index.selection import NO_FILTER, FrameFilter

__all__ = ["FacetCounts", "FacetValue", "facet_counts"]

_FACETS = {
    "imagetypes": "image_type",
    "sites": "site",
    "telescopes": "telescope",
    "instruments": "instrument",
    "filters": "filter_name",
    "binnings": "binning",
    "reduction_levels": "reduction_level",
}
"""The facets, and what they are called in a filter and among the columns of a combination."""

_COLUMNS = tuple(getattr(Combination, name) for name in _FACETS.values())
_PLACES = {facet: place for place, facet in enumerate(_FACETS, 1)}


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value, and how many frames it would leave; None where that was not counted."""

    value: str | int
    count: int | None


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """The values of each facet that leave frames, sorted by code point, levels as numbers.

    If not ``complete``, too much would have to be read to count: the values are those that counts cannot rule out.
    """

    complete: bool
    imagetypes: tuple[FacetValue, ...]
    sites: tuple[FacetValue, ...]
    telescopes: tuple[FacetValue, ...]
    instruments: tuple[FacetValue, ...]
    filters: tuple[FacetValue, ...]
    binnings: tuple[FacetValue, ...]
    reduction_levels: tuple[FacetValue, ...]


def facet_counts(session: Session, frame_filter: FrameFilter) -> FacetCounts:
    """Return the values of each facet with the frames that they would leave beside the filter's other conditions.

    A frame without filter keyword counts as "None" among the filters; what else is missing is left out. The counts are
    those of `shared.index.counts.count_frames` in the same transaction. A fixed number of statements, and no more than
    `MOST_COUNTS` counts or `MOST_ROWS` frames are read.
    """
    unset: dict[str, Any] = dict.fromkeys(_FACETS.values())
    scope = scope_of(session, replace(frame_filter, **unset))
    rows = session.execute(select(Combination.id, *_COLUMNS)).all()
    asked = {facet: value for facet, name in _FACETS.items() if (value := getattr(frame_filter, name)) is not None}
    missed = {row[0]: missing for row in rows if len(missing := _missed(row, asked)) <= 1}
    if len(missed) < len(rows):
        scope = replace(scope, combinations=tuple(missed))
    counts = _frames_by_combination(session, scope)
    known = counts if counts is not None else dict.fromkeys(_possible(session, scope, tuple(missed)), 0)
    found = [row for row in rows if row[0] in known and row[0] in missed]
    sums = {facet: _sums(facet, found, known, missed) for facet in _FACETS}
    lists = {
        facet: tuple(FacetValue(value, of[value] if counts is not None else None) for value in sorted(of))
        for facet, of in sums.items()
    }
    return FacetCounts(complete=counts is not None, **lists)


def _missed(row: Row[Any], asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the facets of which a combination has not the value that is asked for."""
    return tuple(facet for facet, value in asked.items() if _value(row, facet) != value)


def _value(row: Row[Any], facet: str) -> Any:
    value = row[_PLACES[facet]]
    return NO_FILTER if facet == "filters" and value is None else value


def _sums(
    facet: str, rows: Sequence[Row[Any]], frames: Mapping[int, int], missed: Mapping[int, tuple[str, ...]]
) -> Counter[Any]:
    """Add up the frames of combinations that meet the conditions on all other facets, by their values."""
    sums: Counter[Any] = Counter()
    for row in rows:
        value = _value(row, facet)
        if value not in (None, "") and missed[row[0]] in ((), (facet,)):
            sums[value] += frames[row[0]]
    return sums


def _frames_by_combination(session: Session, scope: Scope) -> dict[int, int] | None:
    """Return how many frames of a scope each combination has, by one statement; None if too much would be read."""
    if scope.is_empty:
        return {}
    parts = parts_by_name(scope, by_combination=True) if scope.is_by_name else combination_parts(scope)
    most = MOST_COUNTS
    if parts is None:
        parts, most = [_looked_at(scope)], MOST_ROWS
    bounded = [select(part.limit(most + 1).subquery()) for part in parts]
    together = union_all(*bounded).subquery()
    summed = select(together.c.combination_id, func.sum(together.c.frames), func.count())
    rows = session.execute(summed.group_by(together.c.combination_id)).all()
    if sum(int(row[2]) for row in rows) > most:
        return None
    return {int(row[0]): int(row[1]) for row in rows if row[0] is not None and row[1] > 0}


def _looked_at(scope: Scope) -> Statement:
    return select(Frame.combination_id, passing(scope).label("frames")).where(*driving(scope))


def _possible(session: Session, scope: Scope, combinations: tuple[int, ...]) -> Sequence[int]:
    """Return those of some combinations that have frames at the times that are asked for."""
    wanted = scope.wanted
    times = FrameFilter(night=wanted.night, start=wanted.start, end=wanted.end, undated=wanted.undated)
    plain = Scope(times, combinations, objects=None, days=scope.days, cells=None)
    return by_combination(session, plain)
