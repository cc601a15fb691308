"""How many frames a filter leaves: from the tables of counts where they can tell, from the rows where only those can.

Each statement adds up what was gathered and the changes that were not, in one snapshot of the database.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from shared.index.among import among
from shared.index.models import Combination, Frame, ObjectName
from shared.index.name_counts import parts_by_name
from shared.index.scope import EPOCH, Days, Scope
from shared.index.sky_cells import SkyCells
from shared.index.tallies import ALL
from shared.index.tally_models import NO_DAY, TallyChange, TallyDay, TallyMonth, TallyPair

__all__ = [
    "Statement",
    "by_combination",
    "change_conditions",
    "combination_parts",
    "count_frames",
    "day_conditions",
    "edge_rows",
]

Statement = Select[*tuple[Any, ...]]


def count_frames(session: Session, scope: Scope) -> int:
    """Return exactly how many frames a scope holds, by one statement."""
    if scope.is_empty:
        return 0
    parts = parts_by_name(scope, by_combination=False) if scope.is_by_name else _parts(scope)
    if parts is None:
        return session.scalar(select(func.count()).select_from(Frame).where(*scope.rows())) or 0
    together = union_all(*parts).subquery()
    return int(session.scalar(select(func.coalesce(func.sum(together.c.frames), 0))) or 0)


def by_combination(session: Session, scope: Scope) -> Sequence[int]:
    """Return the ids of the combinations that the frames of a scope have, by as many statements as counting takes."""
    if scope.is_empty:
        return ()
    is_in_days = scope.is_countable and (scope.days is not None or scope.wanted.night is not None)
    if is_in_days and scope.objects is None and scope.combinations is not None:
        return _in_days(session, scope, scope.combinations)
    parts = parts_by_name(scope, by_combination=True) if scope.is_by_name else combination_parts(scope)
    if parts is None:
        return session.scalars(select(Frame.combination_id).where(*scope.rows()).distinct()).all()  # type: ignore[return-value]
    together = union_all(*parts).subquery()
    found = select(together.c.combination_id).group_by(together.c.combination_id)
    return session.scalars(found.having(func.sum(together.c.frames) > 0)).all()


def _in_days(session: Session, scope: Scope, combinations: Sequence[int]) -> Sequence[int]:
    """Return those of some combinations that have a frame in a range of days, by four statements at most.

    One count above zero is enough to tell, but for combinations of which frames have gone and were not gathered yet:
    those are added up.
    """
    changes = select(TallyChange.combination_id, func.min(TallyChange.frames))
    changes = changes.where(*change_conditions(scope), TallyChange.combination_id.is_not(None))
    changed = session.execute(changes.group_by(TallyChange.combination_id)).all()
    doubtful = tuple(int(row[0]) for row in changed if row[0] is not None and row[1] < 0)
    counted = select(TallyDay.combination_id).where(TallyDay.combination_id == Combination.id, TallyDay.frames > 0)
    counted = counted.where(*day_conditions(scope, TallyDay.day, TallyDay.night))
    found = {*session.scalars(select(Combination.id).where(among(Combination.id, combinations), counted.exists()))}
    found.update(int(row[0]) for row in changed if row[0] is not None)
    edge = edge_rows(scope.days)
    if edge is not None:
        rows = select(Frame.combination_id).where(*scope.rows(), edge)
        found.update(session.scalars(rows.where(Frame.combination_id.is_not(None)).distinct()))
    if not doubtful:
        return sorted(found)
    parts = union_all(*_day_parts(replace(scope, combinations=doubtful), by_all=False)).subquery()
    kept = select(parts.c.combination_id).group_by(parts.c.combination_id).having(func.sum(parts.c.frames) > 0)
    return sorted(found.difference(doubtful).union(session.scalars(kept)))


def day_conditions(scope: Scope, days: Any, nights: Any) -> list[ColumnElement[bool]]:
    """Return the conditions of a scope on columns of days and nights."""
    wanted, found = scope.wanted, list[ColumnElement[bool]]()
    if scope.days is not None:
        found.append(days != NO_DAY)
        if scope.days.first is not None:
            found.append(days >= scope.days.first)
        if scope.days.stop is not None:
            found.append(days < scope.days.stop)
    elif not wanted.undated:
        found.append(days != NO_DAY)
    if wanted.night is not None:
        found.append(nights == (wanted.night - EPOCH).days)
    return found


def edge_rows(days: Days | None) -> ColumnElement[bool] | None:
    """Return the condition on rows that lie in the parts of days at the ends of a range of time."""
    if days is None or not days.edges:
        return None
    return or_(*(Frame.date_obs.between(first, last) for first, last in days.edges))


def _parts(scope: Scope) -> list[Statement] | None:
    """Return statements whose numbers of frames add up to the count; None where only rows can tell."""
    wanted = scope.wanted
    if wanted.cone is not None:
        return _sky_parts(scope, scope.cells) if scope.cells is not None and scope.is_position_alone else None
    if not scope.is_countable:
        return None
    if scope.days is None and wanted.night is None:
        return _undivided(scope)
    if scope.objects is None:
        return _day_parts(scope, by_all=True)
    if scope.combinations is None and wanted.night is None and scope.days is not None:
        return _month_parts(scope, scope.objects, scope.days)
    return None


def _undivided(scope: Scope) -> list[Statement]:
    """Return the counts of all days."""
    if scope.objects is None:
        model: Any = Combination
        where = [] if scope.combinations is None else [among(Combination.id, scope.combinations)]
        if scope.combinations is None:
            model = TallyDay
            where = [TallyDay.combination_id == ALL, *day_conditions(scope, TallyDay.day, TallyDay.night)]
    elif scope.combinations is None:
        model, where = ObjectName, [among(ObjectName.id, scope.objects)]
    else:
        model = TallyPair
        where = [among(TallyPair.object_id, scope.objects), among(TallyPair.combination_id, scope.combinations)]
    frames = TallyDay.frames if model is TallyDay else _dated(scope, model)
    return [select(frames.label("frames")).where(*where), select(TallyChange.frames).where(*change_conditions(scope))]


def _day_parts(scope: Scope, *, by_all: bool) -> list[Statement]:
    """Return the counts of whole days and nights, with the rows of parts of days."""
    where = day_conditions(scope, TallyDay.day, TallyDay.night)
    if scope.combinations is not None:
        where.append(among(TallyDay.combination_id, scope.combinations))
    elif by_all:
        where.append(TallyDay.combination_id == ALL)
    else:
        where.append(TallyDay.combination_id != ALL)
    parts: list[Statement] = [
        select(TallyDay.combination_id, TallyDay.frames).where(*where),
        select(func.coalesce(TallyChange.combination_id, ALL), TallyChange.frames).where(*change_conditions(scope)),
    ]
    edge = edge_rows(scope.days)
    if edge is not None:
        rows = [*scope.rows(), edge]
        parts.append(select(Frame.combination_id, literal(1).label("frames")).where(*rows))
    return parts


def _month_parts(scope: Scope, objects: Sequence[int], days: Days) -> list[Statement] | None:
    """Return the counts of whole months of objects, with the rows of parts of months."""
    first = _month(days.first, up=True) if days.first is not None else None
    stop = _month(days.stop, up=False) if days.stop is not None else None
    if first is not None and stop is not None and first >= stop:
        return None
    where: list[ColumnElement[bool]] = [among(TallyMonth.object_id, objects)]
    changes: list[ColumnElement[bool]] = [among(TallyChange.object_id, objects), TallyChange.day != NO_DAY]
    ends: list[ColumnElement[bool]] = []
    if first is not None:
        where.append(TallyMonth.month >= first)
        changes.append(TallyChange.month >= first)
        ends.append((Frame.date_obs >= scope.wanted.start) & (Frame.date_obs < _month_start(first)))
    if stop is not None:
        where.append(TallyMonth.month < stop)
        changes.append(TallyChange.month < stop)
        ends.append(Frame.date_obs.between(_month_start(stop), scope.wanted.end))
    parts: list[Statement] = [select(TallyMonth.frames).where(*where), select(TallyChange.frames).where(*changes)]
    parts += [select(literal(1).label("frames")).where(among(Frame.object_id, objects), end) for end in ends]
    return parts


def _sky_parts(scope: Scope, cells: SkyCells) -> list[Statement]:
    """Return the counts of cells within a cone, with the rows of cells on its edge; of part of the time the rows."""
    each = select(literal(1).label("frames")).where(*scope.rows(by_index=False))
    if scope.days is not None:
        return [each.where(among(Frame.sky_cell, cells.every))]
    within = select(literal(cells.dated + cells.undated * scope.has_undated).label("frames"))
    return [within, each.where(among(Frame.sky_cell, cells.edge))] if cells.edge else [within]


def combination_parts(scope: Scope) -> list[Statement] | None:
    """Return statements that give combinations with numbers of frames; None where only rows can tell."""
    wanted = scope.wanted
    if not scope.is_countable:
        return None
    changes = select(TallyChange.combination_id, TallyChange.frames).where(
        *change_conditions(scope), TallyChange.combination_id.is_not(None)
    )
    if scope.days is None and wanted.night is None:
        if scope.objects is None:
            where = [] if scope.combinations is None else [among(Combination.id, scope.combinations)]
            of_all = select(Combination.id.label("combination_id"), _dated(scope, Combination).label("frames"))
            return [of_all.where(*where), changes]
        where = [among(TallyPair.object_id, scope.objects)]
        if scope.combinations is not None:
            where.append(among(TallyPair.combination_id, scope.combinations))
        return [select(TallyPair.combination_id, _dated(scope, TallyPair).label("frames")).where(*where), changes]
    if scope.objects is None:
        days, _, *edges = _day_parts(scope, by_all=False)
        return [days, changes, *edges]
    return None


def change_conditions(scope: Scope) -> list[ColumnElement[bool]]:
    """Return the conditions on changes that were not gathered yet."""
    found = day_conditions(scope, TallyChange.day, TallyChange.night)
    if scope.combinations is not None:
        found.append(among(TallyChange.combination_id, scope.combinations))
    if scope.objects is not None:
        found.append(among(TallyChange.object_id, scope.objects))
    return found


def _dated(scope: Scope, model: Any) -> ColumnElement[int]:
    dated: ColumnElement[int] = model.dated
    return dated + model.undated if scope.has_undated else dated


def _month(day: int, *, up: bool) -> int:
    date = EPOCH.fromordinal(EPOCH.toordinal() + day)
    month = (date.year - EPOCH.year) * 12 + date.month - 1
    return month + 1 if up and date.day > 1 else month


def _month_start(month: int) -> dt.datetime:
    return dt.datetime.combine(dt.date(EPOCH.year + month // 12, month % 12 + 1, 1), dt.time())
