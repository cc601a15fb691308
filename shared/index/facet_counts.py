"""The values of each facet, with how many frames each of them would leave: what lists of options show.

Of each facet the filter's own condition is left out, so that its list shows what else could be chosen. All lists come
from one look at how many frames each combination has: a few thousand of them stand for any number of frames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, func, select, union_all
from sqlalchemy.orm import Session

from shared.index.bounded import MOST_COUNTS, MOST_ROWS, driving, passing
from shared.index.counts import by_combination, combination_parts
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
_PLACES = range(1, len(_FACETS) + 1)
_FILTER = 1 + list(_FACETS).index("filters")
"""Where the values stand in rows of these, behind the id."""

_Found = tuple[Row[Any], int | None]


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
    every = session.execute(select(Combination.id, *_COLUMNS)).all()
    found = _at_most_one_off(every, frame_filter)
    # Of a range of days each combination is looked up, which is quicker than all that there is on those days.
    if len(found) < len(every) or scope.days is not None:
        scope = replace(scope, combinations=tuple(row[0] for row, _ in found))
    counts = _frames_by_combination(session, scope)
    known = counts if counts is not None else dict.fromkeys(_possible(session, scope, found), 0)
    lists = {
        facet: tuple(FacetValue(value, of[value] if counts is not None else None) for value in sorted(of))
        for facet, of in zip(_FACETS, _sums(found, known), strict=True)
    }
    return FacetCounts(complete=counts is not None, **lists)


def _at_most_one_off(rows: Sequence[Row[Any]], wanted: FrameFilter) -> list[_Found]:
    """Return combinations that have all values that are asked for but one, with the place of that one, if any."""
    places = enumerate(_FACETS.values(), 1)
    asked = [(place, value) for place, name in places if (value := getattr(wanted, name)) is not None]
    missed = [[place for place, value in asked if _shown(row, place) != value] for row in rows]
    return [(row, off[0] if off else None) for row, off in zip(rows, missed, strict=True) if len(off) <= 1]


def _shown(row: Row[Any], place: int) -> Any:
    value = row[place]
    return NO_FILTER if value is None and place == _FILTER else value


def _sums(found: Sequence[_Found], frames: Mapping[int, int]) -> list[dict[Any, int]]:
    """Add up for each facet the frames of combinations that meet the conditions on all others, by their values."""
    sums: list[dict[Any, int]] = [{} for _ in _FACETS]
    for row, off in found:
        if row[0] in frames:
            for place in _PLACES if off is None else (off,):
                of, value = sums[place - 1], row[place]
                of[value] = of.get(value, 0) + frames[row[0]]
    filters = sums[_FILTER - 1]
    if None in filters:
        filters[NO_FILTER] = filters.get(NO_FILTER, 0) + filters[None]
    return [{value: count for value, count in of.items() if value not in (None, "")} for of in sums]


def _frames_by_combination(session: Session, scope: Scope) -> dict[int, int] | None:
    """Return how many frames of a scope each combination has; None if too much would be read."""
    if scope.is_empty:
        return {}
    parts = parts_by_name(scope, by_combination=True) if scope.is_by_name else combination_parts(scope)
    most = MOST_COUNTS
    if parts is None:
        most, where = MOST_ROWS, driving(session, scope, MOST_ROWS)
        if where is None:
            return None
        parts = [select(Frame.combination_id, passing(scope).label("frames")).where(*where)]
    bounded = [select(part.limit(most + 1).subquery()) for part in parts]
    together = union_all(*bounded).subquery()
    summed = select(together.c.combination_id, func.sum(together.c.frames), func.count())
    rows = session.execute(summed.group_by(together.c.combination_id)).all()
    if sum(int(row[2]) for row in rows) > most:
        return None
    return {int(row[0]): int(row[1]) for row in rows if row[0] is not None and row[1] > 0}


def _possible(session: Session, scope: Scope, found: Sequence[_Found]) -> Sequence[int]:
    """Return those of some combinations that have frames at the times that are asked for."""
    wanted = scope.wanted
    times = FrameFilter(night=wanted.night, start=wanted.start, end=wanted.end, undated=wanted.undated)
    plain = Scope(times, tuple(row[0] for row, _ in found), objects=None, days=scope.days, cells=None)
    return by_combination(session, plain)
