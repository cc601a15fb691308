"""Rows looked at one by one where the tables of counts cannot tell: as many as an index gives, but only up to a bound.

The bound is on what is read, not on what is found: a rare thing among many frames costs no more than a frequent one.
What counts tell before is not read in vain.
"""

from sqlalchemy import ColumnElement, and_, case, or_
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.cone import Cone, bounds
from shared.index.counts import count_frames
from shared.index.models import Frame
from shared.index.name_lookup import find_names
from shared.index.name_parts import SHORTEST, may_have_part
from shared.index.scope import Scope
from shared.index.selection import FrameFilter

__all__ = ["MOST_COUNTS", "MOST_ROWS", "driving", "passing"]

MOST_ROWS = 20_000
"""Frames that are looked at for one answer."""

MOST_COUNTS = 100_000
"""Counts that are added up for one answer."""

Conditions = list[ColumnElement[bool]]


def driving(session: Session, scope: Scope, most: int) -> Conditions | None:
    """Return conditions that all frames of a scope meet, for one index to find those frames and few others.

    None if it is known that more than ``most`` frames would have to be read. If it is not known, a limit must see to
    that. Four statements at most.
    """
    wanted = scope.wanted
    if wanted.request_number is not None:
        return [Frame.request_number == wanted.request_number]
    if wanted.observation_number is not None:
        return [Frame.observation_number == wanted.observation_number]
    if count_frames(session, _countable(scope)) <= most:
        return _counted(scope)
    if scope.cells is not None:
        is_few = scope.days is not None or scope.cells.dated <= most
        return [among(Frame.sky_cell, scope.cells.every), *_timed(scope)] if is_few else None
    if wanted.basename_part is not None:
        return _named(session, scope, wanted.basename_part, most)
    return _around(wanted.cone) if wanted.cone is not None else None


def passing(scope: Scope, *more: ColumnElement[bool]) -> ColumnElement[int]:
    """Return 1 for a row that is in the scope, and meets more conditions, 0 for others."""
    return case((and_(*scope.rows(by_index=False), *more), 1), else_=0)


def _countable(scope: Scope) -> Scope:
    """Return a scope of what counts can tell of the frames that `_counted` finds."""
    wanted = scope.wanted
    if wanted.night is not None:
        return Scope(FrameFilter(night=wanted.night, undated=True), None, None, None, None)
    plain = FrameFilter(start=wanted.start, end=wanted.end, undated=wanted.undated)
    return Scope(plain, scope.combinations if scope.objects is None else None, scope.objects, scope.days, None)


def _counted(scope: Scope) -> Conditions:
    if scope.wanted.night is not None:
        return [Frame.night == scope.wanted.night]
    if scope.objects is not None:
        return [among(Frame.object_id, scope.objects), *_timed(scope)]
    if scope.combinations is not None:
        return [among(Frame.combination_id, scope.combinations), *_timed(scope)]
    return _timed(scope)


def _named(session: Session, scope: Scope, part: str, most: int) -> Conditions | None:
    """Return the conditions for a part of basenames: the shapes that have it, or the index of parts."""
    names = scope.names or find_names(session, part)
    if names is not None and names.sure is not None and not names.has_shapeless:
        sure, possible = (sum(row[1] + row[2] for row in shapes) for shapes in (names.sure, names.possible))
        if sure > most:
            return None
        if sure + possible <= most:
            return [among(Frame.shape_id, [row[0] for row in (*names.sure, *names.possible)])]
    return [may_have_part(part)] if len(part) >= SHORTEST and (names is None or names.sure is not None) else None


def _around(cone: Cone) -> Conditions:
    limits = bounds(cone)
    in_zone = among(Frame.dec_zone, range(limits.first_zone, limits.last_zone + 1))
    return [in_zone, *([or_(*(Frame.ra.between(*ends) for ends in limits.ra_ranges))] if limits.ra_ranges else [])]


def _timed(scope: Scope) -> Conditions:
    wanted = scope.wanted
    found: Conditions = []
    if wanted.start is not None:
        found.append(Frame.date_obs >= wanted.start)
    if wanted.end is not None:
        found.append(Frame.date_obs <= wanted.end)
    return found
