"""A filter as what the tables of counts can tell: combinations, objects, days and nights, and what only rows can."""

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.conditions import TextPosition, conditions, is_within
from shared.index.models import Combination, Frame, ObjectName
from shared.index.name_lookup import NameLookup, find_names
from shared.index.name_parts import SHORTEST, may_have_part
from shared.index.selection import NO_FILTER, FrameFilter
from shared.index.sky_cells import SkyCells, find_cells

__all__ = ["EPOCH", "Days", "Scope", "scope_of"]

EPOCH = dt.date(1970, 1, 1)
_DAY = dt.timedelta(days=1)
_FIRST = dt.datetime.combine(dt.date.min, dt.time.min)
_LAST = dt.datetime.combine(dt.date.max, dt.time.max)
_TICK = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days from ``first`` up to but not including ``stop``, and the parts of days before and behind them.

    None stands for no limit.
    """

    first: int | None
    stop: int | None
    edges: tuple[tuple[dt.datetime, dt.datetime], ...]

    @classmethod
    def of(cls, start: dt.datetime | None, end: dt.datetime | None) -> "Days":
        """Cut a range of time, both ends inclusive; a part of a day is from its first to its last moment."""
        if start is not None and start.date() == dt.date.max:
            return cls(0, 0, ((start, end or _LAST),))
        first = _day(start - _TICK) + 1 if start is not None and start > _FIRST else None
        stop = _day(end + _TICK) if end is not None and end < _LAST else None
        if start is not None and end is not None and first is not None and stop is not None and first >= stop:
            return cls(0, 0, _parts_of_days(start, end))
        edges = []
        if start is not None and first is not None and start < _midnight(first):
            edges.append((start, _midnight(first) - _TICK))
        if end is not None and stop is not None and end >= _midnight(stop):
            edges.append((_midnight(stop), end))
        return cls(first, stop, tuple(edges))


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the frames of a filter are to be looked for.

    ``combinations`` and ``objects`` are ids, None where the filter does not ask for any; ``cells`` are those of the
    sky, None where it asks for no position, or for a wide cone; ``names`` is what is known of a part of basenames, None
    where nothing is, or where more is asked for (`is_by_name`).
    """

    wanted: FrameFilter
    combinations: tuple[int, ...] | None
    objects: tuple[int, ...] | None
    days: Days | None
    cells: SkyCells | None
    names: NameLookup | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no frame can be meant."""
        return self.combinations == () or self.objects == () or (self.cells is not None and not self.cells.every)

    @property
    def is_countable(self) -> bool:
        """Whether counts can tell: not of exposure times, parts of basenames, positions, request numbers."""
        wanted = self.wanted
        return (
            wanted.min_exposure is None
            and wanted.basename_part is None
            and wanted.cone is None
            and wanted.request_number is None
            and wanted.observation_number is None
        )

    @property
    def is_by_name(self) -> bool:
        """Whether it asks for a part of basenames, and else for nothing but what combinations tell."""
        plain = replace(self, wanted=replace(self.wanted, basename_part=None))
        return (
            self.wanted.basename_part is not None
            and self.objects is None
            and self.days is None
            and self.wanted.night is None
            and plain.is_countable
        )

    @property
    def is_position_alone(self) -> bool:
        """Whether nothing is asked for but a position, narrow enough for cells, and a range of time."""
        wanted = self.wanted
        alone = FrameFilter(cone=wanted.cone, start=wanted.start, end=wanted.end, undated=wanted.undated)
        return self.cells is not None and wanted == alone

    @property
    def has_undated(self) -> bool:
        """Whether frames without date are meant, too."""
        return self.wanted.undated and self.days is None

    def rows(self, *, by_index: bool = True) -> list[ColumnElement[bool]]:
        """Return the conditions on rows of the frames; without ``by_index`` they are only to be tested."""
        plain = replace(
            self.wanted,
            site=None,
            telescope=None,
            instrument=None,
            image_type=None,
            filter_name=None,
            binning=None,
            reduction_level=None,
            object_part=None,
            cone=self.wanted.cone if by_index and self.cells is None else None,
        )
        found = conditions(plain)
        if self.wanted.cone is not None and plain.cone is None:
            found.append(is_within(self.wanted.cone))
        if self.cells is not None and by_index:
            found.append(among(Frame.sky_cell, self.cells.every))
            by_index = False
        part = self.wanted.basename_part
        if by_index and part is not None and len(part) >= SHORTEST:
            found.append(may_have_part(part))
        if self.combinations is not None:
            found.append(among(Frame.combination_id, self.combinations, by_index=by_index))
        if self.objects is not None:
            found.append(among(Frame.object_id, self.objects, by_index=by_index))
        return found


def scope_of(session: Session, wanted: FrameFilter) -> Scope:
    """Look up the combinations, objects, cells of the sky and names that a filter means: four statements at most."""
    days = Days.of(wanted.start, wanted.end) if wanted.start is not None or wanted.end is not None else None
    cells = find_cells(session, wanted.cone) if wanted.cone is not None else None
    scope = Scope(wanted, _combinations(session, wanted), _objects(session, wanted), days, cells)
    if not scope.is_by_name or scope.is_empty:
        return scope
    return replace(scope, names=find_names(session, wanted.basename_part or ""))


def _combinations(session: Session, wanted: FrameFilter) -> tuple[int, ...] | None:
    equal = (
        (Combination.site, wanted.site),
        (Combination.telescope, wanted.telescope),
        (Combination.instrument, wanted.instrument),
        (Combination.image_type, wanted.image_type),
        (Combination.binning, wanted.binning),
        (Combination.reduction_level, wanted.reduction_level),
    )
    found = [column == value for column, value in equal if value is not None]
    if wanted.filter_name == NO_FILTER:
        found.append(or_(Combination.filter_name.is_(None), Combination.filter_name == NO_FILTER))
    elif wanted.filter_name is not None:
        found.append(Combination.filter_name == wanted.filter_name)
    if not found:
        return None
    return tuple(session.scalars(select(Combination.id).where(*found)))


def _objects(session: Session, wanted: FrameFilter) -> tuple[int, ...] | None:
    if wanted.object_part is None:
        return None
    statement = select(ObjectName.id).where(TextPosition(ObjectName.folded, wanted.object_part) > 0)
    return tuple(session.scalars(statement))


def _parts_of_days(start: dt.datetime, end: dt.datetime) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
    """Cut a range without a whole day in it at the midnight that may be in it."""
    midnight = _midnight(_day(end))
    if start > end:
        return ()
    return ((start, end),) if start >= midnight else ((start, midnight - _TICK), (midnight, end))


def _day(moment: dt.datetime) -> int:
    return (moment.date() - EPOCH).days


def _midnight(day: int) -> dt.datetime:
    return dt.datetime.combine(EPOCH, dt.time()) + day * _DAY
