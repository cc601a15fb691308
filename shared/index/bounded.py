"""Rows looked at one by one where the tables of counts cannot tell: as many as an index gives, but only up to a bound.

The bound is on what is read, not on what is found: a rare thing among many frames costs no more than a frequent one.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, case

from shared.index.among import among
from shared.index.conditions import conditions
from shared.index.models import Frame
from shared.index.name_parts import SHORTEST, may_have_part
from shared.index.scope import Scope
from shared.index.selection import FrameFilter

__all__ = ["MOST_COUNTS", "MOST_ROWS", "driving", "passing"]

MOST_ROWS = 30_000
"""Frames that are looked at for one answer."""

MOST_COUNTS = 100_000
"""Counts that are added up for one answer."""


def driving(scope: Scope) -> list[ColumnElement[bool]]:
    """Return conditions that all frames of a scope meet, and that one index finds: the narrowest that there may be."""
    wanted = scope.wanted
    if wanted.request_number is not None:
        return [Frame.request_number == wanted.request_number]
    if wanted.observation_number is not None:
        return [Frame.observation_number == wanted.observation_number]
    if wanted.night is not None:
        return [Frame.night == wanted.night]
    return [*_placed(scope), *_timed(scope)]


def passing(scope: Scope) -> ColumnElement[int]:
    """Return 1 for a row that is in the scope, 0 for others."""
    return case((and_(*scope.rows(by_index=False)), 1), else_=0)


def _placed(scope: Scope) -> list[ColumnElement[bool]]:
    """Return the condition for an index of its own, or one with time behind it."""
    wanted, part = scope.wanted, scope.wanted.basename_part or ""
    if scope.cells is not None:
        return [among(Frame.sky_cell, scope.cells.every)]
    if scope.objects is not None:
        return [among(Frame.object_id, scope.objects)]
    if len(part) >= SHORTEST:
        return [may_have_part(part)]
    if wanted.cone is not None:
        return conditions(FrameFilter(cone=wanted.cone, undated=True))
    if scope.combinations is not None:
        return [among(Frame.combination_id, scope.combinations)]
    return [] if wanted.min_exposure is None else [Frame.exposure_time >= wanted.min_exposure]


def _timed(scope: Scope) -> list[ColumnElement[Any]]:
    wanted = scope.wanted
    found: list[ColumnElement[Any]] = []
    if wanted.start is not None:
        found.append(Frame.date_obs >= wanted.start)
    if wanted.end is not None:
        found.append(Frame.date_obs <= wanted.end)
    return found
